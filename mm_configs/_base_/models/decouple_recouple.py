# Decouple & Recouple (I3DWTrans), one modality: a network over space, gates, three transformers over time. Input [N, 3, T, H, W].
# `window` of the motion maps is 10 in the authors' code but for NvGesture, which has 4: its configs say so.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='DecoupleRecouple',
        frames=32,
        base_channels=64,
        channels=512,
        window=10,
        depth=6,
        heads=8,
        hidden=768),
    cls_head=dict(
        type='BranchTokenHead',
        num_classes=10,
        in_channels=512,
        tau=(0.04, 0.07),
        tau_epochs=30,
        distillation_temperature=0.4,
        distillation_begin=2,
        average_clips='prob'),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

# Epochs of tau and of the distillation's begin are the same parts of the training; half the frames, so a window of 4.
# A demo has few batches, so each counts more in the norms' statistics, logits are not divided (tau), and what does not move is
# removed from the input. Its rate: docs/rates.md.
profiles = dict(
    demo=dict(model=dict(
        backbone=dict(frames=16, base_channels=8, channels=128, window=4, depth=2, heads=2, hidden=192, norm_momentum=0.1),
        cls_head=dict(in_channels=128, tau=(1., 1.), tau_epochs=3, distillation_begin=1),
        data_preprocessor=dict(remove_still=True)),
        optim_wrapper=dict(optimizer=dict(lr=2e-3)),
        param_scheduler={'0': dict(eta_max=2e-3)}),
    smoke=dict(model=dict(
        backbone=dict(frames=16, base_channels=4, channels=32, window=4, depth=2, heads=1, hidden=48),
        cls_head=dict(in_channels=32, tau_epochs=1, distillation_begin=0))))
