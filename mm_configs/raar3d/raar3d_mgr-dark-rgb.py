_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb.py',
    '../_base_/models/raar3d.py',
    '../_base_/schedules/paper.py',
]

parents = dict(ni3d=dict(config='ni3d_mgr-dark-rgb.py', inject_at=['model.init_from']))
