# UMDR: a spatial network whose channels look over time, and transformers of three clip lengths. Input [N, 3, frames, H, W].
# model.cls_head.distillation_weight=0. and model.mixing=None is what the authors ran on NvGesture; see mm_configs/umdr/README.md.
model = dict(
    type='MixingRecognizer3D',
    mixing=dict(shuffle_prob=0.2, shuffle_alpha=0.3, mixup_alpha=0.8),
    backbone=dict(type='UMDR', frames=32, in_channels=3, base_channels=64, heads=8, head_channels=64, hidden=768, dropout=0.1),
    cls_head=dict(
        type='UMDRHead',
        num_classes=10,
        in_channels=512,
        distillation_weight=0.2,
        label_smooth_eps=0.1,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

# The clips of these profiles have 16 frames; an eighth and a sixteenth as wide. The demo's steps are too few for a momentum of 0.01, for
# logits divided by 0.04 and for mixed clips, and what does not move is removed from its input.
profiles = dict(
    demo=dict(model=dict(
        backbone=dict(frames=16, base_channels=8, heads=2, head_channels=32, hidden=96, norm_momentum=0.1),
        cls_head=dict(in_channels=64, tau=(1., 1.)),
        mixing=None,
        data_preprocessor=dict(remove_still=True))),
    smoke=dict(model=dict(
        backbone=dict(frames=16, base_channels=4, heads=2, head_channels=16, hidden=48),
        cls_head=dict(in_channels=32))))
