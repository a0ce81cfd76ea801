# MViTv2-S, architecture of MMAction2's mvit-small-p244 (temporal_size 32 instead of 16). Input [N, 3, 32, 224, 224].
# Starting weights: load_from=<an MViTv2-S>; relative positions of another clip length are interpolated.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='MViT',
        arch=dict(embed_dims=96, num_layers=16, num_heads=1, downscale_indices=[1, 3, 14]),
        spatial_size=224,
        temporal_size=32,
        adaptive_kv_stride=(1, 8, 8),
        drop_path_rate=0.2),
    cls_head=dict(
        type='MViTHead',
        num_classes=10,
        in_channels=768,
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

# For few steps from scratch (demo): coarse patches, few layers, and weights that follow the width (0.02 suits 96 channels; with 32
# hardly any signal would pass).
profiles = dict(
    demo=dict(
        model=dict(
            backbone=dict(
                arch=dict(embed_dims=32, num_layers=3, num_heads=1, downscale_indices=[1, 2]),
                spatial_size=56, temporal_size=16, adaptive_kv_stride=(1, 2, 2), drop_path_rate=0.,
                patch_cfg=dict(kernel_size=(5, 11, 11), stride=(4, 8, 8), padding=(2, 5, 5)),
                init_cfg=[dict(type='Xavier', layer='Linear', distribution='uniform')]),
            cls_head=dict(in_channels=128, dropout_ratio=0.))),
    smoke=dict(model=dict(
        backbone=dict(
            arch=dict(embed_dims=8, num_layers=4, downscale_indices=[1, 2, 3]),
            spatial_size=32, temporal_size=16, adaptive_kv_stride=(1, 4, 4), drop_path_rate=0.),
        cls_head=dict(in_channels=64))))
