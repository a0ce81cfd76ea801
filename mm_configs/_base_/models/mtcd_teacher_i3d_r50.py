# A network that teaches: I3D-R50 with the feature converter (Eq. 8-9), and T_t or T_a (Eq. 5-7) beside the classifier.
_base_ = './i3d_r50.py'
model = dict(
    neck=dict(type='FeatureConverter', in_channels=2048),
    cls_head=dict(type='ProjectedHead', projection=dict(out_channels=512)))

# Rate and schedule are the profile's: every stage of MTCD trains as I3D alone does (docs/rates.md).
profiles = dict(
    demo=dict(
        model=dict(
            neck=dict(in_channels=96),
            cls_head=dict(projection=dict(out_channels=64)))),
    smoke=dict(model=dict(
        neck=dict(in_channels=32),
        cls_head=dict(projection=dict(out_channels=16)))))
