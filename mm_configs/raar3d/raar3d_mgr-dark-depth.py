_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_depth.py',
    '../_base_/models/raar3d.py',
    '../_base_/schedules/paper.py',
]

parents = dict(ni3d=dict(config='ni3d_mgr-dark-depth.py', inject_at=['model.init_from']))
