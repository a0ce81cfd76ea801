# C3D, architecture of MMAction2's c3d_sports1m-pretrained; input [N, 3, 32, 224, 224] (upstream: 16x112x112, out_dim 8192).
# out_dim = 512 * 2 * 8 * 8: pool1 halves space only, pool2-4 halve all, pool5 halves all and pads space by 1.
# Starting weights: model.backbone.pretrained=<a C3D>, or load_from; fc6 of another input is left out, see mm_configs/c3d/README.md.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='C3D',
        pretrained=None,
        style='pytorch',
        conv_cfg=dict(type='Conv3d'),
        norm_cfg=None,
        act_cfg=dict(type='ReLU'),
        out_dim=65536,
        dropout_ratio=0.5,
        init_std=0.005),
    cls_head=dict(
        type='I3DHead',
        num_classes=10,
        in_channels=4096,
        spatial_type=None,
        dropout_ratio=0.5,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

# Out of the last pooling: 1x1x1 at 16x56x56 with a stride in the first layer (demo), 1x2x2 at 16x32x32 (smoke).
profiles = dict(
    demo=dict(
        model=dict(
            backbone=dict(type='SlimC3D', base_channels=8, fc_channels=128, out_dim=64, stem_stride=2, norm_cfg=dict(_delete_=True, type='BN3d'),
                dropout_ratio=0.2, init_std=0.02),
            cls_head=dict(in_channels=128, dropout_ratio=0.2))),
    smoke=dict(model=dict(
        backbone=dict(type='SlimC3D', base_channels=2, fc_channels=32, out_dim=64),
        cls_head=dict(in_channels=32))))
