# MTUT with I3D-R50 as each stream, of RGB and of infrared: a rival of MTCD with the backbone, data and schedule of its student.
_base_ = './i3d_r50.py'
model = dict(
    _delete_=True,
    type='MTUT',
    modalities=['rgb', 'ir'],
    stream=dict(
        type='Recognizer3D',
        backbone={{_base_.model.backbone}},
        cls_head={{_base_.model.cls_head}}),
    ssa='mmpose',
    ssa_weight=5e-3,
    beta=2.,
    cap=10.,
    start_epoch=65,
    data_preprocessor={{_base_.model.data_preprocessor}})

profiles = dict(
    demo=dict(_delete_=True, model=dict(stream={{_base_.profiles.demo.model}}, start_epoch=3)),
    smoke=dict(_delete_=True, model=dict(stream={{_base_.profiles.smoke.model}}, start_epoch=1)))
