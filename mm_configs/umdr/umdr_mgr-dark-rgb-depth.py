_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb_depth.py',
    '../_base_/models/umdr_fusion.py',
    '../_base_/schedules/paper.py',
]

parents = dict(
    rgb=dict(config='umdr_mgr-dark-rgb.py', inject_at=['model.init_from.rgb']),
    depth=dict(config='umdr_mgr-dark-depth.py', inject_at=['model.init_from.depth']))
