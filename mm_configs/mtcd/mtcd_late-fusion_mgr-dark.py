# Upper bound: RGB and infrared at test time. Nothing is trained.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb.py',
    '../_base_/models/mtcd_late_fusion_i3d_r50.py',
]

train_dataloader = None
train_cfg = None
test_dataloader = dict(dataset=dict(modalities=['rgb', 'ir']))

parents = dict(
    ir=dict(config='mtcd_teacher_mgr-dark-ir.py', inject_at=['model.members.ir.checkpoint']),
    rgb=dict(
        config='mtcd_teacher_mgr-dark-ir.py',
        inject_at=['model.members.rgb.checkpoint'],
        overrides={
            'train_dataloader.dataset.modalities': ['rgb'],
            'test_dataloader.dataset.modalities': ['rgb'],
        }))
