_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb_depth.py',
    '../_base_/models/decouple_recouple_capf.py',
    '../_base_/schedules/paper.py',
]

model = dict(
    num_classes=25,
    streams=dict(rgb=dict(model=dict(window=4)), depth=dict(model=dict(window=4))))

parents = dict(
    rgb=dict(config='decouple_recouple_nvgesture-rgb.py', inject_at=['model.streams.rgb.init_from']),
    depth=dict(config='decouple_recouple_nvgesture-depth.py', inject_at=['model.streams.depth.init_from']))
