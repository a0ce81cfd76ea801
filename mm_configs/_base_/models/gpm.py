# GPM in our own design: ResNet-18 on each frame, a GRU over its features, the gesture and its progress for each frame.
# Input [N, 3, T, H, W]. Starting weights: model.backbone.pretrained=<torchvision's ResNet-18>, or load_from; see mm_configs/gpm/README.md.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='RecurrentResNet',
        depth=18,
        base_channels=64,
        hidden_channels=512,
        dropout_ratio=0.5,
        pretrained=None,
        norm_cfg=dict(type='BN2d', requires_grad=True),
        norm_eval=False),
    cls_head=dict(
        type='GPMHead',
        num_classes=10,
        in_channels=512,
        progress_weight=1.0,
        progress_beta=0.1,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    demo=dict(model=dict(
        backbone=dict(base_channels=12, hidden_channels=96, dropout_ratio=0.2),
        cls_head=dict(in_channels=96))),
    smoke=dict(model=dict(
        backbone=dict(base_channels=4, hidden_channels=16),
        cls_head=dict(in_channels=16))))
