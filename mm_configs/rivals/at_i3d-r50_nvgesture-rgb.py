_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb.py',
    '../_base_/models/rival_at_i3d_r50.py',
    '../_base_/schedules/paper.py',
]

model = dict(
    student=dict(cls_head=dict(num_classes=25)),
    teachers=dict(teacher=dict(model=dict(cls_head=dict(num_classes=25)))))
train_dataloader = dict(dataset=dict(modalities=['rgb', 'ir'], missing_modality=dict(ir='blank')))
default_hooks = dict(stage_checkpoint=dict(type='SingleTeacherCheckpointHook'))

parents = dict(
    teacher=dict(config='../mtcd/mtcd_teacher_nvgesture-ir.py', inject_at=['model.teachers.teacher.checkpoint']))
