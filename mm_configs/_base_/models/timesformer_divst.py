# TimeSformer with divided space-time attention, architecture of MMAction2's timesformer_divST. Input [N, 3, 32, 224, 224].
# Starting weights: model.backbone.pretrained=<a ViT-B/16>, or load_from=<a TimeSformer>, whose time steps are interpolated.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='TimeSformer',
        pretrained=None,
        num_frames=32,
        img_size=224,
        patch_size=16,
        embed_dims=768,
        num_heads=12,
        num_transformer_layers=12,
        in_channels=3,
        dropout_ratio=0.,
        transformer_layers=None,
        attention_type='divided_space_time',
        norm_cfg=dict(type='LN', eps=1e-6)),
    cls_head=dict(
        type='TimeSformerHead',
        num_classes=10,
        in_channels=768,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

# Demo: tokens of four frames see motion in their embedding, since few steps teach attention no motion; what does not move is removed.
profiles = dict(
    demo=dict(model=dict(
        backbone=dict(num_frames=4, in_channels=12, img_size=56, patch_size=14, embed_dims=96, num_heads=4, num_transformer_layers=2),
        cls_head=dict(in_channels=96),
        data_preprocessor=dict(type='FoldingPreprocessor', frames=4, remove_still=True)),
        optim_wrapper=dict(optimizer=dict(lr=2e-3)),
        param_scheduler={'0': dict(eta_max=2e-3)}),
    smoke=dict(model=dict(
        backbone=dict(num_frames=16, img_size=32, patch_size=16, embed_dims=32, num_heads=2, num_transformer_layers=2),
        cls_head=dict(in_channels=32))))
