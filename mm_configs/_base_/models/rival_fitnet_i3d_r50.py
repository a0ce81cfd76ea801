# FitNet: the second stage of the teacher as a hint for that of the student, with a regressor in between.
_base_ = './rival_i3d_r50.py'
model = dict(class_weight=1.0, distillation=dict(_delete_=True, type='HintDistillation', layer='backbone.layer2', student_channels=512, teacher_channels=512, weight=100.0))

profiles = dict(
    demo=dict(model=dict(distillation=dict(student_channels=24, teacher_channels=24))),
    smoke=dict(model=dict(distillation=dict(student_channels=8, teacher_channels=8))))
