_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_depth.py',
    '../_base_/models/ni3d.py',
    '../_base_/schedules/paper.py',
]

model = dict(cls_head=dict(num_classes=25))
