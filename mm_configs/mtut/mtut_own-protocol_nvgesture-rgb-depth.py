# mmpose's schedule on NvGesture: 64 frames, batches of 6, alignment from epoch 61 of 75. Its flips are left out; it starts from Kinetics.
_base_ = './mtut_nvgesture-rgb-depth.py'

model = dict(
    data_preprocessor=dict(
        statistics='fixed',
        mean=dict(rgb=[123.675, 116.28, 103.53], depth=0.),
        std=dict(rgb=[58.395, 57.12, 57.375], depth=255.)))

train_dataloader = dict(batch_size=6)
auto_scale_lr = dict(base_batch_size=6)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, begin=0, end=75, milestones=[30, 50], gamma=0.1)]
train_cfg = dict(max_epochs=75)

profiles = dict(paper=dict(model=dict(start_epoch=61), transforms=dict(SampleClipFrames=dict(clip_len=64))))
