# I3D with an inflated ResNet-50, architecture of MMAction2's i3d_imagenet-pretrained-r50. Input [N, 3, T, H, W].
# Starting weights: model.backbone.pretrained=<a 2D ResNet-50, inflated>, or load_from=<an I3D>; see mm_configs/i3d/README.md.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3d',
        depth=50,
        base_channels=64,
        pretrained=None,
        pretrained2d=True,
        conv1_kernel=(5, 7, 7),
        conv1_stride_t=2,
        pool1_stride_t=2,
        conv_cfg=dict(type='Conv3d'),
        norm_cfg=dict(type='BN3d', requires_grad=True),
        norm_eval=False,
        inflate=((1, 1, 1), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0)),
        zero_init_residual=False),
    cls_head=dict(
        type='I3DHead',
        num_classes=10,
        in_channels=2048,
        spatial_type='avg',
        dropout_ratio=0.5,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    # A demo's steps do not train 50 layers from scratch: 18 of the same kind, three sixteenths as wide. The clip has half the
    # frames, so pool1 keeps them: 16 frames come out as 4, as 32 do at full size.
    demo=dict(model=dict(
        backbone=dict(base_channels=12, depth=18, inflate=((1, 1), (1, 0), (1, 0), (0, 1)), pool1_stride_t=1),
        cls_head=dict(in_channels=96, dropout_ratio=0.2))),
    smoke=dict(model=dict(
        backbone=dict(base_channels=4, depth=18, inflate=((1, 1), (1, 0), (1, 0), (0, 1))),
        cls_head=dict(in_channels=32))))
