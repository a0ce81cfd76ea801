# A network that teaches: I3D-R50 with the feature converter (Eq. 8-9), and T_t or T_a (Eq. 5-7) beside the classifier.
_base_ = './i3d_r50.py'
model = dict(
    neck=dict(type='FeatureConverter', in_channels=2048),
    cls_head=dict(type='ProjectedHead', projection=dict(out_channels=512)))

# Twice the rate of I3D alone: better on held-out training subjects (docs/rates.md). Assistant and student have it as well.
profiles = dict(
    demo=dict(
        model=dict(
            neck=dict(in_channels=128),
            cls_head=dict(projection=dict(out_channels=64))),
        optim_wrapper=dict(optimizer=dict(lr=2e-3)),
        param_scheduler=[dict(
            type='OneCycleLR', eta_max=2e-3, total_steps=12, pct_start=0.2, by_epoch=True, convert_to_iter_based=True)]),
    smoke=dict(model=dict(
        neck=dict(in_channels=32),
        cls_head=dict(projection=dict(out_channels=16)))))
