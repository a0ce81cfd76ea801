_base_ = '../c3d/c3d_nvgesture-rgb.py'

model = dict(data_preprocessor=dict(type='SaliencyPreprocessor'))
