_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_pseudo_ir.py',
    '../_base_/models/mtcd_assistant_i3d_r50.py',
    '../_base_/schedules/paper.py',
]

train_dataloader = dict(dataset=dict(modalities=['pseudo_ir', 'ir'], missing_modality=dict(ir='blank')))
default_hooks = dict(stage_checkpoint=dict(type='StageCheckpointHook', stage='assistant'))

parents = dict(
    teacher=dict(config='mtcd_teacher_mgr-dark-ir.py', inject_at=['model.teachers.teacher.checkpoint']),
    pseudo_ir=dict(
        config='mtcd_pseudo-ir_mgr-dark.py',
        inject_at=['train_dataloader.dataset.stores.pseudo_ir', 'test_dataloader.dataset.stores.pseudo_ir'],
        seed=0))
