_base_ = './nvgesture_rgb.py'
train_dataloader = dict(dataset=dict(modalities=['depth']))
test_dataloader = dict(dataset=dict(modalities=['depth']))
