# The assistant's stage: cross-entropy + beta * Eq. 6 against the frozen teacher (beta is gamma there: the assistant is what
# learns, the teacher the only one that teaches). Its own T_a is in its head, trained as the teacher's T_t was.
_base_ = './mtcd_teacher_i3d_r50.py'
model = dict(
    _delete_=True,
    type='CrossModalDistiller',
    student={{_base_.model}},
    student_input='pseudo_ir',
    teachers=dict(teacher=dict(model={{_base_.model}}, input='ir', checkpoint='')),
    alpha=0.0,
    beta=1.0,
    distance='normalized_l2',
    reduction='mean',
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    demo=dict(
        _delete_=True,
        model=dict(
            student={{_base_.profiles.demo.model}},
            teachers=dict(teacher=dict(model={{_base_.profiles.demo.model}})))),
    smoke=dict(_delete_=True, model=dict(
        student={{_base_.profiles.smoke.model}},
        teachers=dict(teacher=dict(model={{_base_.profiles.smoke.model}})))))
