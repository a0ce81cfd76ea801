_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_depth.py',
    '../_base_/models/ni3d.py',
    '../_base_/schedules/paper.py',
]
