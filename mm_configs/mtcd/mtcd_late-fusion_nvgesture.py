# Upper bound: RGB and infrared at test time. Nothing is trained.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb.py',
    '../_base_/models/mtcd_late_fusion_i3d_r50.py',
]

model = dict(members=dict(
    rgb=dict(model=dict(cls_head=dict(num_classes=25))),
    ir=dict(model=dict(cls_head=dict(num_classes=25)))))
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
