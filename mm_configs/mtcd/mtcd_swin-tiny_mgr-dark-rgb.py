# Another backbone for the student, taught by the same I3D networks. Video Swin-T keeps more positions in time than I3D does,
# so that features are compared pooled over time as well (level='vector'); T_t and T_a have the same weights at any level.
_base_ = './mtcd_i3d-r50_mgr-dark-rgb.py'

model = dict(
    student=dict(
        backbone=dict(
            _delete_=True,
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
        neck=dict(in_channels=768),
        cls_head=dict(in_channels=768)),
    teachers=dict(
        teacher=dict(model=dict(cls_head=dict(projection=dict(level='vector')))),
        assistant=dict(model=dict(cls_head=dict(projection=dict(level='vector'))))),
    projection=dict(in_channels=768, level='vector'))

# At demo the student is the network of ../_base_/models/swin_tiny.py there, which sees what moves; its teachers see all.
profiles = dict(
    demo=dict(model=dict(
        student=dict(
            backbone=dict(
                arch=dict(embed_dims=32, depths=[1, 1, 1], num_heads=[1, 2, 4]), out_indices=(2, ), drop_path_rate=0.,
                patch_size=(4, 8, 8), window_size=(4, 7, 7), patch_norm=False,
                init_cfg=[dict(type='Xavier', layer='Linear', distribution='uniform')]),
            neck=dict(in_channels=128),
            cls_head=dict(in_channels=128, dropout_ratio=0.)),
        projection=dict(in_channels=128),
        data_preprocessor=dict(remove_still=['rgb']))),
    smoke=dict(model=dict(
        student=dict(
            backbone=dict(
                arch=dict(embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2]),
                window_size=(4, 4, 4),
                drop_path_rate=0.),
            neck=dict(in_channels=64),
            cls_head=dict(in_channels=64)),
        projection=dict(in_channels=64))))
