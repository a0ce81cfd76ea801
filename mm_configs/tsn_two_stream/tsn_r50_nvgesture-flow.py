_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_flow.py',
    '../_base_/models/tsn_r50_flow.py',
    '../_base_/schedules/paper.py',
]

model = dict(cls_head=dict(num_classes=25))
parents = dict(flow=dict(
    config='tsn_optical-flow_nvgesture.py',
    inject_at=['train_dataloader.dataset.stores.flow', 'test_dataloader.dataset.stores.flow'],
    seed=0))
