_base_ = './gpm_mgr-dark-rgb.py'

train_dataloader = dict(dataset=dict(modalities=['depth']))
test_dataloader = dict(dataset=dict(modalities=['depth']))
