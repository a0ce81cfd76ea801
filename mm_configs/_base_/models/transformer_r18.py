# Transformer (3DV 2020): ResNet-18 of every frame, six encoder layers over the frames. Input [N * 32, 3, H, W].
# Starting weights: model.backbone.init_cfg=<torchvision's ResNet-18>, or load_from; see mm_configs/transformer/README.md.
model = dict(
    type='Recognizer2D',
    backbone=dict(type='DropoutResNet18', in_channels=3, base_channels=64, dropout_ratio=0.1),
    cls_head=dict(
        type='FrameTransformerHead',
        num_classes=10,
        in_channels=512,
        num_layers=6,
        num_heads=8,
        feedforward_channels=1024,
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCHW'))

# Three sixteenths (demo) and a sixteenth (smoke) as wide, and two layers: so few steps do not train six.
profiles = dict(
    demo=dict(model=dict(
        backbone=dict(base_channels=12, dropout_ratio=0.),
        cls_head=dict(in_channels=96, num_layers=2, feedforward_channels=192, dropout_ratio=0.1))),
    smoke=dict(model=dict(
        backbone=dict(base_channels=4),
        cls_head=dict(in_channels=32, num_layers=2, feedforward_channels=64))))
