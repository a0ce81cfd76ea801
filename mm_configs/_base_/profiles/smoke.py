# Seconds on one thread: shows that everything runs, not that anything learns. All test clips are still tested.
transforms = dict(
    SampleClipFrames=dict(clip_len=16),
    LoadModalities=dict(size=(36, 36)),
    RandomCrop=dict(size=32),
    CenterCrop=dict(crop_size=32))
train_dataloader = dict(batch_size=4, num_batch_per_epoch=2, num_workers=0, persistent_workers=False)
test_dataloader = dict(batch_size=16, num_workers=0, persistent_workers=False)
param_scheduler = []
train_cfg = dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=1)
