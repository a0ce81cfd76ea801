_base_ = './gpm_nvgesture-rgb.py'

train_dataloader = dict(dataset=dict(modalities=['depth']))
test_dataloader = dict(dataset=dict(modalities=['depth']))
