_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_ir.py',
    '../_base_/models/i3d_r50.py',
    '../_base_/schedules/paper.py',
]
