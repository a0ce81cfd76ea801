# MTUT: an Inception-I3D for each modality, trained together; from epoch 65 of 80 on each learns from the other where that is better.
# Inputs: modality -> [N, 1, 3, T, H, W]. Starting weights: model.stream.backbone.init_cfg; see mm_configs/mtut/README.md.
_base_ = './inception_i3d.py'
model = dict(
    _delete_=True,
    type='MTUT',
    modalities=['rgb', 'depth'],
    stream=dict(
        type='Recognizer3D',
        backbone={{_base_.model.backbone}},
        cls_head=dict(
            type='I3DHead',
            num_classes=10,
            in_channels=1024,
            spatial_type='avg',
            dropout_ratio=0.,
            init_std=0.01,
            average_clips='prob')),
    ssa='mmpose',
    ssa_weight=5e-3,
    beta=2.,
    cap=10.,
    start_epoch=65,
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    demo=dict(_delete_=True, model=dict(
        stream=dict(
            backbone={{_base_.profiles.demo.model.backbone}},
            cls_head=dict(in_channels=128)),
        start_epoch=3)),
    smoke=dict(_delete_=True, model=dict(
        stream=dict(
            backbone={{_base_.profiles.smoke.model.backbone}},
            cls_head=dict(in_channels=64)),
        start_epoch=1)))
