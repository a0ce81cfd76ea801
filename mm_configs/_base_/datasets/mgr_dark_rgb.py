_base_ = './clips.py'
train_dataloader = dict(dataset=dict(type='MGRDarkDataset', data_root='data/mgr_dark', lighting='dark'))
test_dataloader = dict(dataset=dict(type='MGRDarkDataset', data_root='data/mgr_dark', lighting='dark'))
