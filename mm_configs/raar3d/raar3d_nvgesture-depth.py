_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_depth.py',
    '../_base_/models/raar3d.py',
    '../_base_/schedules/paper.py',
]

model = dict(cls_head=dict(num_classes=25))

parents = dict(ni3d=dict(config='ni3d_nvgesture-depth.py', inject_at=['model.init_from']))
