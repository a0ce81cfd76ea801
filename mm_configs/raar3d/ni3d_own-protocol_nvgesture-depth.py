_base_ = './ni3d_nvgesture-depth.py'

model = dict(data_preprocessor=dict(statistics='fixed', mean=127.5, std=128.))

train_dataloader = dict(batch_size=24)
auto_scale_lr = dict(base_batch_size=24)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=3e-4),
    clip_grad=dict(max_norm=5.))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=5),
    dict(type='CosineAnnealingLR', T_max=45, eta_min=0., by_epoch=True, begin=5, end=50)]
train_cfg = dict(max_epochs=50)

profiles = dict(paper=dict(transforms=dict(SampleClipFrames=dict(clip_len=64))))
