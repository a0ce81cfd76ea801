_base_ = '../c3d/c3d_nvgesture-depth.py'

model = dict(data_preprocessor=dict(type='SaliencyPreprocessor'))
