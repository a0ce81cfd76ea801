_base_ = './nvgesture_rgb.py'
train_dataloader = dict(dataset=dict(modalities=['ir']))
test_dataloader = dict(dataset=dict(modalities=['ir']))
