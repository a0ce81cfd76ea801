_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb_progress.py',
    '../_base_/models/gpm.py',
    '../_base_/schedules/paper.py',
]
