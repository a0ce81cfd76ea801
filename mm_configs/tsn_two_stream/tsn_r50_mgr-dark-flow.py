_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_flow.py',
    '../_base_/models/tsn_r50_flow.py',
    '../_base_/schedules/paper.py',
]

parents = dict(flow=dict(
    config='tsn_optical-flow_mgr-dark.py',
    inject_at=['train_dataloader.dataset.stores.flow', 'test_dataloader.dataset.stores.flow'],
    seed=0))
