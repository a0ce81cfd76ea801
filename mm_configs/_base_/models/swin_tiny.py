# Video Swin-T, architecture of MMAction2's swin-tiny-p244-w877. Input [N, 3, T, H, W].
# Starting weights: model.backbone.pretrained=<a 2D Swin-T, inflated>, or load_from=<a Video Swin-T>; see mm_configs/swin/README.md.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='SwinTransformer3D',
        arch=dict(embed_dims=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24]),
        pretrained=None,
        pretrained2d=False,
        patch_size=(2, 4, 4),
        window_size=(8, 7, 7),
        mlp_ratio=4.,
        qkv_bias=True,
        qk_scale=None,
        drop_rate=0.,
        attn_drop_rate=0.,
        drop_path_rate=0.1,
        patch_norm=True),
    cls_head=dict(
        type='I3DHead',
        num_classes=10,
        in_channels=768,
        spatial_type='avg',
        dropout_ratio=0.5,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

# For few steps (demo): coarse tokens of 4 frames see motion in their embedding, windows span the clip, three stages, tokens keep their
# contrast (no patch_norm), and weights follow the width (0.02 suits 96 channels; with 32 hardly any signal would pass). What does not
# move is removed from the input: with it, nothing was learned from the source set.
profiles = dict(
    demo=dict(
        model=dict(
            backbone=dict(
                arch=dict(embed_dims=32, depths=[1, 1, 1], num_heads=[1, 2, 4]), out_indices=(2, ), drop_path_rate=0.,
                patch_size=(4, 8, 8), window_size=(4, 7, 7), patch_norm=False,
                init_cfg=[dict(type='Xavier', layer='Linear', distribution='uniform')]),
            cls_head=dict(in_channels=128, dropout_ratio=0.),
            data_preprocessor=dict(remove_still=True))),
    smoke=dict(model=dict(
        backbone=dict(
            arch=dict(embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2]), window_size=(4, 4, 4), drop_path_rate=0.),
        cls_head=dict(in_channels=64))))
