# Upper bound: RGB and infrared at test time, the mean of both networks' probabilities. Nothing is trained.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb.py',
    '../_base_/models/mtcd_teacher_i3d_r50_25.py',
]

model = dict(
    _delete_=True,
    type='LateFusion',
    members=dict(
        rgb=dict(model={{_base_.model}}, checkpoint=''),
        ir=dict(model={{_base_.model}}, checkpoint='')),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))
train_dataloader = None
train_cfg = None
test_dataloader = dict(dataset=dict(modalities=['rgb', 'ir']))

parents = dict(
    ir=dict(config='mtcd_teacher_nvgesture-ir.py', inject_at=['model.members.ir.checkpoint']),
    rgb=dict(
        config='mtcd_teacher_nvgesture-ir.py',
        inject_at=['model.members.rgb.checkpoint'],
        overrides={
            'train_dataloader.dataset.modalities': ['rgb'],
            'test_dataloader.dataset.modalities': ['rgb'],
        }))

profiles = dict(
    demo=dict(_delete_=True, model=dict(members=dict(
        rgb=dict(model={{_base_.profiles.demo.model}}),
        ir=dict(model={{_base_.profiles.demo.model}})))),
    smoke=dict(_delete_=True, model=dict(members=dict(
        rgb=dict(model={{_base_.profiles.smoke.model}}),
        ir=dict(model={{_base_.profiles.smoke.model}})))))
