_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb_depth.py',
    '../_base_/models/decouple_recouple_capf.py',
    '../_base_/schedules/paper.py',
]

parents = dict(
    rgb=dict(config='decouple_recouple_mgr-dark-rgb.py', inject_at=['model.streams.rgb.init_from']),
    depth=dict(config='decouple_recouple_mgr-dark-depth.py', inject_at=['model.streams.depth.init_from']))
