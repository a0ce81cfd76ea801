_base_ = '../_base_/stages/optical_flow.py'

test_dataloader = dict(dataset=dict(type='MGRDarkDataset', data_root='data/mgr_dark', lighting='dark'))
test_evaluator = [dict(type='FlowStore', output_dir='work_dirs/tsn_optical-flow_mgr-dark/store')]
