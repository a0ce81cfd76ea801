# NI3D: Inception-I3D with searched cells, the first stage of RAAR3DNet. Input [N, 3, T, H, W]; the head takes 16 * base_channels.
model = dict(
    type='Recognizer3D',
    backbone=dict(type='NI3D', in_channels=3, base_channels=64, conv1_stride_t=2),
    cls_head=dict(
        type='I3DHead',
        num_classes=10,
        in_channels=1024,
        spatial_type='avg',
        dropout_ratio=0.5,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    # An eighth as wide. The demo's few steps are too few for a momentum of 0.01 in normalisation.
    demo=dict(model=dict(
        backbone=dict(base_channels=8, norm_momentum=0.1),
        cls_head=dict(in_channels=128, dropout_ratio=0.2))),
    smoke=dict(model=dict(
        backbone=dict(base_channels=4),
        cls_head=dict(in_channels=64))))
