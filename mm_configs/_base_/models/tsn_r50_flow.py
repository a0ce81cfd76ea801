_base_ = './tsn_r50.py'
# TSN's temporal stream: a stack of five flow fields at each instant, x and y of each a channel; 128 is no motion.
model = dict(
    backbone=dict(in_channels=10),
    data_preprocessor=dict(type='FlowPreprocessor', consecutive=5, statistics='fixed', mean=128., std=32.))
