_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb_depth.py',
    '../_base_/models/mmtm.py',
    '../_base_/schedules/paper.py',
]

model = dict(stream=dict(cls_head=dict(num_classes=25)))

parents = dict(
    rgb=dict(config='../inception_i3d/inception_i3d_nvgesture-rgb.py', inject_at=['model.init_from.rgb']),
    depth=dict(config='../inception_i3d/inception_i3d_nvgesture-depth.py', inject_at=['model.init_from.depth']))
