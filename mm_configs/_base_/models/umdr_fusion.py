# UMDR on RGB and depth: the two trained networks, frozen, and CFCer on their features and tokens.
# Inputs: modality -> [N, 1, 3, frames, H, W]. See mm_configs/umdr/README.md.
_base_ = './umdr.py'
model = dict(
    _delete_=True,
    type='UMDRFusion',
    modalities=['rgb', 'depth'],
    stream=dict(
        type='Recognizer3D',
        backbone={{_base_.model.backbone}},
        cls_head={{_base_.model.cls_head}}),
    fusion=dict(heads=8, head_channels=64, hidden=768, dropout=0.1),
    init_from=dict(rgb='', depth=''),
    mixing={{_base_.model.mixing}},
    label_smooth_eps=0.1,
    data_preprocessor={{_base_.model.data_preprocessor}})

profiles = dict(
    demo=dict(_delete_=True, model=dict(
        stream=dict(backbone={{_base_.profiles.demo.model.backbone}}, cls_head={{_base_.profiles.demo.model.cls_head}}),
        mixing=None,
        data_preprocessor={{_base_.profiles.demo.model.data_preprocessor}},
        fusion=dict(heads=2, head_channels=32, hidden=96))),
    smoke=dict(_delete_=True, model=dict(
        stream={{_base_.profiles.smoke.model}},
        fusion=dict(heads=2, head_channels=16, hidden=48))))
