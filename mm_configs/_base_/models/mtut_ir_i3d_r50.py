# MTUT with the student of MTCD as each stream, of RGB and of infrared: a rival of MTCD on its own terms.
_base_ = './mtcd_student_i3d_r50.py'
model = dict(
    _delete_=True,
    type='MTUT',
    modalities=['rgb', 'ir'],
    stream={{_base_.model.student}},
    ssa='mmpose',
    ssa_weight=5e-3,
    beta=2.,
    cap=10.,
    start_epoch=65,
    data_preprocessor={{_base_.model.data_preprocessor}})

profiles = dict(
    demo=dict(_delete_=True, model=dict(stream={{_base_.profiles.demo.model.student}}, start_epoch=10)),
    smoke=dict(_delete_=True, model=dict(stream={{_base_.profiles.smoke.model.student}}, start_epoch=1)))
