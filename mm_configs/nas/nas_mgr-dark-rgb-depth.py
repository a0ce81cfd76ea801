_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb_depth.py',
    '../_base_/models/nas_rgb_depth.py',
    '../_base_/schedules/paper.py',
]
