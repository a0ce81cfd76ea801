# PreRNN: VGG16 on each frame with a recurrent fc6 (GRU, one input for all gates), fc7, the classifier of each frame.
# Input [N, 3, T, H, W]. Starting weights: model.backbone.pretrained=<torchvision's VGG16>, or load_from; see mm_configs/prernn/README.md.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='PreRNNVGG',
        base_channels=64,
        fc_channels=4096,
        pool_size=7,
        cell='gru',
        dropout_ratio=0.5,
        pretrained=None),
    cls_head=dict(
        type='FrameHead',
        num_classes=10,
        in_channels=4096,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

# 56 pixels leave a map of 1 x 1. The small networks start from nothing, and so have norms.
profiles = dict(
    demo=dict(model=dict(
        backbone=dict(base_channels=8, fc_channels=128, pool_size=1, stem_stride=2, dropout_ratio=0.2, norm_cfg=dict(type='BN2d')),
        cls_head=dict(in_channels=128))),
    smoke=dict(model=dict(
        backbone=dict(base_channels=2, fc_channels=16, pool_size=1, norm_cfg=dict(type='BN2d')),
        cls_head=dict(in_channels=16))))
