_base_ = './mgr_dark_rgb.py'
train_dataloader = dict(dataset=dict(modalities=['depth']))
test_dataloader = dict(dataset=dict(modalities=['depth']))
