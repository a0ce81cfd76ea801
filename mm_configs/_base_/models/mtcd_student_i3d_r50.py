# The student's stage, Eq. 10: cross-entropy + alpha * L_kd(Fusion -> student) + beta * L_kd(IR -> student).
# Only the student predicts, and only the student is saved.
_base_ = './mtcd_teacher_i3d_r50.py'
model = dict(
    _delete_=True,
    type='CrossModalDistiller',
    student=dict(
        type='Recognizer3D',
        backbone={{_base_.model.backbone}},
        neck={{_base_.model.neck}},
        cls_head=dict(
            type='I3DHead',
            num_classes=10,
            in_channels=2048,
            spatial_type='avg',
            dropout_ratio=0.5,
            init_std=0.01,
            average_clips='prob')),
    student_input='rgb',
    teachers=dict(
        teacher=dict(model={{_base_.model}}, input='ir', checkpoint=''),
        assistant=dict(model={{_base_.model}}, input='pseudo_ir', checkpoint='')),
    projection=dict(in_channels=2048, out_channels=512, kind='linear', level='time'),
    alpha=0.9,
    beta=0.3,
    fusion='mean',
    distance='normalized_l2',
    reduction='mean',
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    demo=dict(
        _delete_=True,
        model=dict(
            student=dict(
                backbone={{_base_.profiles.demo.model.backbone}},
                neck={{_base_.profiles.demo.model.neck}},
                cls_head=dict(in_channels=96, dropout_ratio=0.2)),
            teachers=dict(
                teacher=dict(model={{_base_.profiles.demo.model}}),
                assistant=dict(model={{_base_.profiles.demo.model}})),
            projection=dict(in_channels=96, out_channels=64))),
    smoke=dict(_delete_=True, model=dict(
        student=dict(
            backbone={{_base_.profiles.smoke.model.backbone}},
            neck={{_base_.profiles.smoke.model.neck}},
            cls_head=dict(in_channels=32)),
        teachers=dict(
            teacher=dict(model={{_base_.profiles.smoke.model}}),
            assistant=dict(model={{_base_.profiles.smoke.model}})),
        projection=dict(in_channels=32, out_channels=16))))
