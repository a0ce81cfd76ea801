_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb.py',
    '../_base_/models/gpm.py',
    '../_base_/schedules/paper.py',
]

model = dict(cls_head=dict(num_classes=25))
# Where gestures begin and end in training clips: dataset=dict(spans='annotations/neo_nvidia_annotations_train.json'), see README.md.
train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='SampleClipFrames', clip_len=32),
    dict(type='GestureProgress'),
    dict(type='LoadModalities', size=(256, 256)),
    dict(type='RandomCrop', size=224),
    dict(type='SplitModalities'),
    dict(type='PackClip'),
]))
