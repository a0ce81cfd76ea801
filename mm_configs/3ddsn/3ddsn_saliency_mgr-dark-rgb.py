_base_ = '../c3d/c3d_mgr-dark-rgb.py'

model = dict(data_preprocessor=dict(type='SaliencyPreprocessor'))
