_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb_depth.py',
    '../_base_/models/mtut.py',
    '../_base_/schedules/paper.py',
]

model = dict(stream=dict(cls_head=dict(num_classes=25)))
