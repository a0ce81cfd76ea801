# GPM in our own design: ResNet-18 on each frame, a GRU over its features, the gesture and its progress for each frame.
# Starting weights: model.backbone.pretrained=<torchvision's ResNet-18>, or load_from; see mm_configs/gpm/README.md.
model = dict(
    type='Recognizer2D',
    backbone=dict(
        type='ResNet',
        depth=18,
        pretrained=None,
        norm_cfg=dict(type='BN2d', requires_grad=True),
        norm_eval=False),
    cls_head=dict(
        type='GPMHead',
        num_classes=10,
        in_channels=512,
        hidden_channels=512,
        progress_weight=1.0,
        progress_beta=0.1,
        dropout_ratio=0.5,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCHW'))

profiles = dict(
    demo=dict(model=dict(
        backbone=dict(type='SlimResNet', base_channels=12),
        cls_head=dict(in_channels=96, hidden_channels=96, dropout_ratio=0.2))),
    smoke=dict(model=dict(
        backbone=dict(type='SlimResNet', base_channels=4),
        cls_head=dict(in_channels=32, hidden_channels=16))))
