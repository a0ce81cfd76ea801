_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_depth.py',
    '../_base_/models/resc3d.py',
    '../_base_/schedules/paper.py',
]

model = dict(data_preprocessor=dict(median=5))
