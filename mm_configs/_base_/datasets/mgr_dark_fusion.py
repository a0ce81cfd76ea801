_base_ = './mgr_dark_rgb.py'
# Fusion of what other networks predicted: every test clip by its id. No frame is read, nothing is trained.
train_dataloader = None
train_cfg = None
test_dataloader = dict(dataset=dict(pipeline=[dict(type='PackClipId')]))
