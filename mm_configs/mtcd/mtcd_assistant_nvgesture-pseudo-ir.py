_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_pseudo_ir.py',
    '../_base_/models/mtcd_assistant_i3d_r50.py',
    '../_base_/schedules/paper.py',
]

model = dict(
    student=dict(cls_head=dict(num_classes=25)),
    teachers=dict(teacher=dict(model=dict(cls_head=dict(num_classes=25)))))
train_dataloader = dict(dataset=dict(modalities=['pseudo_ir', 'ir'], missing_modality=dict(ir='blank')))
default_hooks = dict(stage_checkpoint=dict(type='StageCheckpointHook', stage='assistant'))

parents = dict(
    teacher=dict(config='mtcd_teacher_nvgesture-ir.py', inject_at=['model.teachers.teacher.checkpoint']),
    pseudo_ir=dict(
        config='mtcd_pseudo-ir_nvgesture.py',
        inject_at=['train_dataloader.dataset.stores.pseudo_ir', 'test_dataloader.dataset.stores.pseudo_ir'],
        seed=0))
