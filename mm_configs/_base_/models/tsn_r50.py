# TSN with a ResNet-50, architecture of MMAction2's tsn_imagenet-pretrained-r50; each sampled frame is a segment.
# Starting weights: model.backbone.pretrained=<torchvision's ResNet-50>, or load_from=<a TSN>; see mm_configs/tsn/README.md.
model = dict(
    type='Recognizer2D',
    backbone=dict(
        type='ResNet',
        depth=50,
        pretrained=None,
        norm_cfg=dict(type='BN2d', requires_grad=True),
        norm_eval=False),
    cls_head=dict(
        type='TSNHead',
        num_classes=10,
        in_channels=2048,
        spatial_type='avg',
        consensus=dict(type='AvgConsensus', dim=1),
        dropout_ratio=0.4,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCHW'))

profiles = dict(
    demo=dict(model=dict(
        backbone=dict(type='SlimResNet', depth=18, base_channels=12),
        cls_head=dict(in_channels=96, dropout_ratio=0.2))),
    smoke=dict(model=dict(
        backbone=dict(type='SlimResNet', depth=18, base_channels=4),
        cls_head=dict(in_channels=32))))
