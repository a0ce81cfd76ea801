# Feature encoder of the translator (Eq. 1-4): ResNet-50 with last stride 1, GeM pooling and batch norm, cross-entropy + batch-hard
# triplet loss; images are flipped, padded and cropped as in structured domain adaptation.
# SYSU-MM01 has 395 people for training. Starting weights: model.backbone.pretrained=<a ResNet-50>.
model = dict(
    type='IdentityEncoder',
    backbone=dict(type='SlimResNet', depth=50, base_channels=64, strides=(1, 2, 2, 1), pretrained=None, norm_eval=False),
    feature_channels=2048,
    num_identities=395,
    triplet_weight=1.0,
    margin=0.3,
    soft_margin=False,
    label_smoothing=0.0,
    augment=dict(flip_prob=0.5, pad=10))

profiles = dict(
    demo=dict(model=dict(backbone=dict(depth=18, base_channels=8), feature_channels=64, augment=dict(pad=2))),
    smoke=dict(model=dict(backbone=dict(depth=18, base_channels=4), feature_channels=32, augment=dict(pad=2))))
