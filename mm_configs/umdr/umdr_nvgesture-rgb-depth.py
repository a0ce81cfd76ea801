_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb_depth.py',
    '../_base_/models/umdr_fusion.py',
    '../_base_/schedules/paper.py',
]

model = dict(stream=dict(cls_head=dict(num_classes=25)))

parents = dict(
    rgb=dict(config='umdr_nvgesture-rgb.py', inject_at=['model.init_from.rgb']),
    depth=dict(config='umdr_nvgesture-depth.py', inject_at=['model.init_from.depth']))
