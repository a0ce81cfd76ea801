# Quality of pseudo-infrared as the frozen infrared teacher sees it: nothing is trained.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_pseudo_ir.py',
    '../_base_/models/mtcd_teacher_i3d_r50.py',
]

model = dict(
    _delete_=True,
    type='LateFusion',
    members=dict(pseudo_ir=dict(model={{_base_.model}}, checkpoint='')),
    data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))
train_dataloader = None
train_cfg = None

parents = dict(
    teacher=dict(config='mtcd_teacher_mgr-dark-ir.py', inject_at=['model.members.pseudo_ir.checkpoint']),
    pseudo_ir=dict(
        config='mtcd_pseudo-ir_mgr-dark.py', inject_at=['test_dataloader.dataset.stores.pseudo_ir'], seed=0))

profiles = dict(
    demo=dict(_delete_=True, model=dict(members=dict(pseudo_ir=dict(model={{_base_.profiles.demo.model}})))),
    smoke=dict(_delete_=True, model=dict(members=dict(pseudo_ir=dict(model={{_base_.profiles.smoke.model}})))))
