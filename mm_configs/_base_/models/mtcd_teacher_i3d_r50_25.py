# The network that teaches on NvGesture: 25 classes.
_base_ = './mtcd_teacher_i3d_r50.py'
model = dict(cls_head=dict(num_classes=25))
