_base_ = '../_base_/stages/mtcd_translator_target.py'

train_dataloader = dict(dataset=dict(type='NvGestureDataset', data_root='data/nvgesture', lists='v2'))
