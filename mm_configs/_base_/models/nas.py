# AutoGesture, three frame rates of one modality. Input [N, 3, T, H, W], T a multiple of 8, H and W of 4; the crop of the benchmark's
# protocol at half its size, as published. The head takes 192 * base_channels.
# The genotype is that of the modality: model.backbone.modalities is set in the configs of mm_configs/nas.
model = dict(
    type='Recognizer3D',
    backbone=dict(type='AutoGesture', modalities=['rgb'], base_channels=16, kernels='as_published'),
    cls_head=dict(
        type='I3DHead',
        num_classes=10,
        in_channels=3072,
        spatial_type=None,
        dropout_ratio=0.5,
        init_std=0.01,
        average_clips='prob'),
    data_preprocessor=dict(type='ResizingPreprocessor', size=112, format_shape='NCTHW'))

# A sixteenth as wide, in the demo with five of twelve cells; here as well frames come at half the size of the crop.
profiles = dict(
    demo=dict(model=dict(
        backbone=dict(base_channels=1, cells=(2, 2, 1)),
        cls_head=dict(in_channels=192, dropout_ratio=0.2),
        data_preprocessor=dict(size=28))),
    smoke=dict(model=dict(
        backbone=dict(base_channels=1),
        cls_head=dict(in_channels=192),
        data_preprocessor=dict(size=16))))
