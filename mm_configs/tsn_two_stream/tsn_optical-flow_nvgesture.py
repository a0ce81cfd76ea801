_base_ = '../_base_/stages/optical_flow.py'

test_dataloader = dict(dataset=dict(type='NvGestureDataset', data_root='data/nvgesture', lists='v2'))
test_evaluator = [dict(type='FlowStore', output_dir='work_dirs/tsn_optical-flow_nvgesture/store')]
