# The authors' schedule on NvGesture with 64 frames and their input scale. Their crops and rotations are left out, and they started from
# 20BN-Jester: load_from=FILE.
_base_ = './decouple_recouple_nvgesture-rgb.py'

model = dict(data_preprocessor=dict(statistics='fixed', mean=127.5, std=128.))

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=3e-4),
    clip_grad=dict(max_norm=5.))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=3),
    dict(type='CosineAnnealingLR', T_max=97, eta_min=1e-5, by_epoch=True, begin=3, end=100)]
train_cfg = dict(max_epochs=100)

profiles = dict(paper=dict(model=dict(backbone=dict(frames=64)), transforms=dict(SampleClipFrames=dict(clip_len=64))))
