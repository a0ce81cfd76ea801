_base_ = './transformer_nvgesture-depth.py'

train_dataloader = dict(batch_size=8)
auto_scale_lr = dict(base_batch_size=8)
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=1e-4),
    clip_grad=dict(max_norm=1.))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, begin=0, end=100, milestones=[50, 75], gamma=0.1)]
train_cfg = dict(max_epochs=100)

profiles = dict(paper=dict(transforms=dict(SampleClipFrames=dict(clip_len=40))))
