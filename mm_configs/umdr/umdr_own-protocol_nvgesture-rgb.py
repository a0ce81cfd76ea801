# What the authors ran on NvGesture as far as it is known (mm_configs/umdr/README.md): their schedule and input scale, no recoupling
# loss, no mixing. Their rotation of clips is left out, and they started from NTU-RGBD: load_from=FILE.
_base_ = './umdr_nvgesture-rgb.py'

model = dict(
    mixing=None,
    cls_head=dict(distillation_weight=0.),
    data_preprocessor=dict(statistics='fixed', mean=127.5, std=128.))

train_dataloader = dict(batch_size=16)
auto_scale_lr = dict(base_batch_size=16)
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.),
    clip_grad=dict(max_norm=5.))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, by_epoch=True, begin=0, end=5),
    dict(type='CosineAnnealingLR', T_max=95, eta_min=1e-5, by_epoch=True, begin=5, end=100)]
train_cfg = dict(max_epochs=100)
