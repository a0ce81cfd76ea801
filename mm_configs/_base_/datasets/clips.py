# What all data sets share: the paper's protocol. 32 frames uniformly in time, 256 -> 224 random / centre crop,
# one view per test clip, every test clip counts. There is no validation: nothing is selected.
auto_scale_lr = dict(enable=False, base_batch_size=32)  # of tools/train.py --auto-scale-lr
train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        split='train',
        modalities=['rgb'],
        clip_store='',
        pipeline=[
            dict(type='SampleClipFrames', clip_len=32),
            dict(type='LoadModalities', size=(256, 256)),
            dict(type='RandomCrop', size=224),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))
test_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        split='test',
        test_mode=True,
        modalities=['rgb'],
        clip_store='',
        pipeline=[
            dict(type='SampleClipFrames', clip_len=32, test_mode=True),
            dict(type='LoadModalities', size=(256, 256)),
            dict(type='CenterCrop', crop_size=224),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))
test_evaluator = [dict(type='ClipPredictions')]
test_cfg = dict(type='TestLoop')
