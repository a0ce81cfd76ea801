# Seconds on one thread: shows that everything runs, not that anything learns. All test clips are still tested.
transforms = dict(
    SampleClipFrames=dict(clip_len=16),
    LoadModalities=dict(size=(36, 36)),
    RandomCrop=dict(size=32),
    CenterCrop=dict(crop_size=32))
overrides = {
    'train_dataloader.batch_size': 4,
    'train_dataloader.num_batch_per_epoch': 2,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'test_dataloader.batch_size': 16,
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
}
param_scheduler = []
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
