# Decouple & Recouple of RGB and depth (CAPF): two networks that go on from their own trainings. Input modality -> [N, 3, T, H, W].
_base_ = './decouple_recouple.py'
model = dict(
    _delete_=True,
    type='CAPF',
    num_classes=10,
    streams=dict(
        rgb=dict(model={{_base_.model.backbone}}, init_from=''),
        depth=dict(model={{_base_.model.backbone}}, init_from='')),
    channels=512,
    reshape='as_published',
    distillation_temperature=0.4,
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))

profiles = dict(
    demo=dict(_delete_=True, model=dict(
        channels=128,
        streams=dict(
            rgb=dict(model={{_base_.profiles.demo.model.backbone}}),
            depth=dict(model={{_base_.profiles.demo.model.backbone}})),
        data_preprocessor={{_base_.profiles.demo.model.data_preprocessor}})),
    smoke=dict(_delete_=True, model=dict(
        channels=32,
        streams=dict(
            rgb=dict(model={{_base_.profiles.smoke.model.backbone}}),
            depth=dict(model={{_base_.profiles.smoke.model.backbone}})))))
