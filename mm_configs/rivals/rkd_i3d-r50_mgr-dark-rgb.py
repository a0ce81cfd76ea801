_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb.py',
    '../_base_/models/rival_rkd_i3d_r50.py',
    '../_base_/schedules/paper.py',
]

train_dataloader = dict(dataset=dict(modalities=['rgb', 'ir'], missing_modality=dict(ir='blank')))
default_hooks = dict(stage_checkpoint=dict(type='SingleTeacherCheckpointHook'))

parents = dict(
    teacher=dict(config='../mtcd/mtcd_teacher_mgr-dark-ir.py', inject_at=['model.teachers.teacher.checkpoint']))
