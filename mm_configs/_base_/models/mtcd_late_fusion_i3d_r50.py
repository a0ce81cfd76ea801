# Two networks that teach, of RGB and infrared, tested together: the mean of both networks' probabilities.
_base_ = './mtcd_teacher_i3d_r50.py'
model = dict(
    _delete_=True,
    type='LateFusion',
    members=dict(
        rgb=dict(model={{_base_.model}}, checkpoint=''),
        ir=dict(model={{_base_.model}}, checkpoint='')),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    demo=dict(_delete_=True, model=dict(members=dict(
        rgb=dict(model={{_base_.profiles.demo.model}}),
        ir=dict(model={{_base_.profiles.demo.model}})))),
    smoke=dict(_delete_=True, model=dict(members=dict(
        rgb=dict(model={{_base_.profiles.smoke.model}}),
        ir=dict(model={{_base_.profiles.smoke.model}})))))
