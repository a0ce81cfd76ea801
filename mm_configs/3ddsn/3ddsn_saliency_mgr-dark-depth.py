_base_ = '../c3d/c3d_mgr-dark-depth.py'

model = dict(data_preprocessor=dict(type='SaliencyPreprocessor'))
