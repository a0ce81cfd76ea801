_base_ = './nvgesture_rgb.py'
train_dataloader = dict(dataset=dict(modalities=['ir'], lacking=dict(ir='drop')))
test_dataloader = dict(dataset=dict(modalities=['ir']))
