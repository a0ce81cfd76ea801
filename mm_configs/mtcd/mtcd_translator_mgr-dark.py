_base_ = '../_base_/stages/mtcd_translator_target.py'

train_dataloader = dict(dataset=dict(type='MGRDarkDataset', data_root='data/mgr_dark', lighting='dark'))
