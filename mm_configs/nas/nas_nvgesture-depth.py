_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_depth.py',
    '../_base_/models/nas.py',
    '../_base_/schedules/paper.py',
]

model = dict(backbone=dict(modalities=['depth']), cls_head=dict(num_classes=25))
