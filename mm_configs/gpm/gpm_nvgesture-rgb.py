_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb_progress.py',
    '../_base_/models/gpm.py',
    '../_base_/schedules/paper.py',
]

model = dict(cls_head=dict(num_classes=25))
# Where gestures begin and end: train_dataloader.dataset.spans='annotations/neo_nvidia_annotations_train.json', see README.md.
