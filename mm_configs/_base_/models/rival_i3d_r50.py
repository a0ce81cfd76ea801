# A rival of MTCD under its conditions: the student is I3D as in its own row (no converter), the teacher is MTCD's teacher on infrared.
# What is distilled is the config's `distillation`; here logits (Hinton et al.), with the weights of their average.
_base_ = './mtcd_teacher_i3d_r50.py'
model = dict(
    _delete_=True,
    type='SingleTeacherDistiller',
    student=dict(
        type='Recognizer3D',
        backbone={{_base_.model.backbone}},
        cls_head=dict(
            type='I3DHead',
            num_classes=10,
            in_channels=2048,
            spatial_type='avg',
            dropout_ratio=0.5,
            init_std=0.01,
            average_clips='prob')),
    student_input='rgb',
    teachers=dict(teacher=dict(model={{_base_.model}}, input='ir', checkpoint='')),
    class_weight=0.1,
    distillation=dict(type='LogitDistillation', weight=0.9, temperature=4.0),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    demo=dict(
        _delete_=True,
        model=dict(
            student=dict(
                backbone={{_base_.profiles.demo.model.backbone}}, cls_head=dict(in_channels=96, dropout_ratio=0.2)),
            teachers=dict(teacher=dict(model={{_base_.profiles.demo.model}})))),
    smoke=dict(
        _delete_=True,
        model=dict(
            student=dict(backbone={{_base_.profiles.smoke.model.backbone}}, cls_head=dict(in_channels=32)),
            teachers=dict(teacher=dict(model={{_base_.profiles.smoke.model}})))))
