# One stream of a trained MTUT, tested alone on depth. Nothing is trained.
_base_ = './mtut.py'
model = dict(
    _delete_=True,
    type='LateFusion',
    members=dict(depth=dict(model={{_base_.model.stream}}, checkpoint='', prefix='streams.depth.')),
    data_preprocessor={{_base_.model.data_preprocessor}})

profiles = dict(
    demo=dict(_delete_=True, model=dict(members=dict(depth=dict(model={{_base_.profiles.demo.model.stream}})))),
    smoke=dict(_delete_=True, model=dict(members=dict(depth=dict(model={{_base_.profiles.smoke.model.stream}})))))
