# The RGB stream of an MTUT with infrared, tested alone. Nothing is trained.
_base_ = './mtut_ir_i3d_r50.py'
model = dict(
    _delete_=True,
    type='LateFusion',
    members=dict(rgb=dict(model={{_base_.model.stream}}, checkpoint='', prefix='streams.rgb.')),
    data_preprocessor={{_base_.model.data_preprocessor}})

profiles = dict(
    demo=dict(_delete_=True, model=dict(members=dict(rgb=dict(model={{_base_.profiles.demo.model.stream}})))),
    smoke=dict(_delete_=True, model=dict(members=dict(rgb=dict(model={{_base_.profiles.smoke.model.stream}})))))
