_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_depth_ir.py',
    '../_base_/models/mtcd_student_i3d_r50.py',
    '../_base_/schedules/paper.py',
]

model = dict(student_input='depth')
default_hooks = dict(stage_checkpoint=dict(type='StageCheckpointHook', stage='student'))

parents = dict(
    teacher=dict(config='mtcd_teacher_mgr-dark-ir.py', inject_at=['model.teachers.teacher.checkpoint']),
    assistant=dict(config='mtcd_assistant_mgr-dark-pseudo-ir.py', inject_at=['model.teachers.assistant.checkpoint']),
    pseudo_ir=dict(
        config='mtcd_pseudo-ir_mgr-dark.py', inject_at=['train_dataloader.dataset.stores.pseudo_ir'], seed=0))
