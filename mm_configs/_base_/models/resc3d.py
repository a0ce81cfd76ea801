# ResC3D: Res3D-18 with the mean over space at every eighth frame. Input [N, 3, T, H, W]; the head takes 8 * base_channels * T / 8.
# Starting weights: model.backbone.pretrained=<torchvision's r3d_18, or a Res3D18>, or load_from; see mm_configs/resc3d/README.md.
# Retinex (RGB) and the median filter (depth) are switched on in the configs of mm_configs/resc3d.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='Res3D18',
        base_channels=64,
        pretrained=None,
        norm_cfg=dict(type='BN3d', requires_grad=True),
        norm_eval=False),
    cls_head=dict(
        type='I3DHead',
        num_classes=10,
        in_channels=2048,
        spatial_type=None,
        dropout_ratio=0.,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ResC3DPreprocessor', format_shape='NCTHW'))

# 16 frames leave two steps in time. Frames are a quarter (56 of 224 pixels) and a seventh as wide; so are Retinex's scales.
profiles = dict(
    demo=dict(model=dict(
        backbone=dict(base_channels=8, conv1_stride_s=4),
        cls_head=dict(in_channels=128),
        data_preprocessor=dict(sigmas=(3.75, 20., 62.5)))),
    smoke=dict(model=dict(
        backbone=dict(base_channels=2),
        cls_head=dict(in_channels=32),
        data_preprocessor=dict(sigmas=(2., 11., 36.)))))
