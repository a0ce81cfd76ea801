# Fusion of the two networks: mean of their probabilities. Nothing is trained.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_fusion.py',
    '../_base_/models/score_fusion.py',
]

parents = dict(
    rgb=dict(config='raar3d_mgr-dark-rgb.py', output='predictions', inject_at='model.members.rgb.predictions'),
    depth=dict(config='raar3d_mgr-dark-depth.py', output='predictions', inject_at='model.members.depth.predictions'))
