# Contrastive representation distillation, negatives from a memory of all clips.
_base_ = './rival_i3d_r50.py'
model = dict(class_weight=1.0, distillation=dict(_delete_=True, type='ContrastiveDistillation', student_channels=2048, teacher_channels=2048, channels=128, weight=0.8))

profiles = dict(
    demo=dict(model=dict(distillation=dict(student_channels=96, teacher_channels=96))),
    smoke=dict(model=dict(distillation=dict(student_channels=32, teacher_channels=32, channels=16))))
