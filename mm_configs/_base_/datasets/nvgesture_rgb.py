_base_ = './clips.py'
train_dataloader = dict(dataset=dict(type='NvGestureDataset', data_root='data/nvgesture', lists='v2'))
test_dataloader = dict(dataset=dict(type='NvGestureDataset', data_root='data/nvgesture', lists='v2'))
