# The authors' schedule and input scale. Their plateau rule looked at the test split and is left out; they started from 20BN-Jester:
# load_from=FILE. Frames and size are the benchmark's as they are theirs.
_base_ = './nas_nvgesture-rgb.py'

model = dict(data_preprocessor=dict(statistics='fixed', mean=127.5, std=128.))

train_dataloader = dict(batch_size=24)
auto_scale_lr = dict(base_batch_size=24)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-5))
param_scheduler = [
    dict(type='ConstantLR', factor=1e-3, by_epoch=True, begin=0, end=3),
    dict(type='ExponentialLR', gamma=0.7 ** (1 / 30000), by_epoch=False)]  # of a step
train_cfg = dict(max_epochs=80)
