_base_ = './decouple_recouple_own-protocol_nvgesture-rgb.py'
train_dataloader = dict(dataset=dict(modalities=['depth']))
test_dataloader = dict(dataset=dict(modalities=['depth']))
