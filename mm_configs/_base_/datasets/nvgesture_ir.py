_base_ = './nvgesture_rgb.py'
train_dataloader = dict(dataset=dict(modalities=['ir'], missing_modality=dict(ir='drop')))
test_dataloader = dict(dataset=dict(modalities=['ir']))
