# Learns something real on a 2-core CPU: 16 frames, 64 -> 56 pixels, a short schedule. The rate was chosen on held-out
# training subjects; a method keeps it unless another rate was better there by more than chance (docs/rates.md).
# Epochs of every training but the translator's. What begins at a later epoch (MTUT, Decouple & Recouple) has its own number.
__epochs = 4

transforms = dict(
    SampleClipFrames=dict(clip_len=16),
    LoadModalities=dict(size=(64, 64)),
    RandomCrop=dict(size=56),
    CenterCrop=dict(crop_size=56))
train_dataloader = dict(batch_size=16, num_workers=0, persistent_workers=False)
test_dataloader = dict(batch_size=16, num_workers=0, persistent_workers=False)
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05, fused=True),
    clip_grad=dict(max_norm=5.0))
param_scheduler = [dict(type='OneCycleLR', eta_max=1e-3, total_steps=__epochs, pct_start=0.2, by_epoch=True, convert_to_iter_based=True)]
train_cfg = dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=__epochs)
