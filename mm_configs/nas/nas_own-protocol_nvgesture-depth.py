_base_ = './nas_nvgesture-depth.py'

model = dict(data_preprocessor=dict(statistics='fixed', mean=127.5, std=128.))

train_dataloader = dict(batch_size=24)
auto_scale_lr = dict(base_batch_size=24)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-5))
param_scheduler = [
    dict(type='ConstantLR', factor=1e-3, by_epoch=True, begin=0, end=3),
    dict(type='ExponentialLR', gamma=0.7 ** (1 / 30000), by_epoch=False)]
train_cfg = dict(max_epochs=80)
