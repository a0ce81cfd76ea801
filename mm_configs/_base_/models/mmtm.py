# MMTM: an Inception-I3D for each modality, which reweight each other's channels after six of their blocks.
# Inputs: modality -> [N, 1, 3, T, H, W]. Starts from the streams trained alone; see mm_configs/mmtm/README.md.
_base_ = './inception_i3d.py'
model = dict(
    _delete_=True,
    type='MMTM',
    modalities=['rgb', 'depth'],
    stream=dict(
        type='Recognizer3D',
        backbone={{_base_.model.backbone}},
        cls_head={{_base_.model.cls_head}}),
    points=['4c', '4d', '4e', '4f', '5b', '5c'],
    gate_scale=1.,
    init_from=dict(rgb='', depth=''),
    data_preprocessor={{_base_.model.data_preprocessor}})

profiles = dict(
    demo=dict(_delete_=True, model=dict(stream={{_base_.profiles.demo.model}})),
    smoke=dict(_delete_=True, model=dict(stream={{_base_.profiles.smoke.model}})))
