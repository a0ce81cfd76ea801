_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_depth_ir.py',
    '../_base_/models/mtcd_student_i3d_r50.py',
    '../_base_/schedules/paper.py',
]

model = dict(
    student=dict(cls_head=dict(num_classes=25)),
    student_input='depth',
    teachers=dict(
        teacher=dict(model=dict(cls_head=dict(num_classes=25))),
        assistant=dict(model=dict(cls_head=dict(num_classes=25)))))
default_hooks = dict(stage_checkpoint=dict(type='StageCheckpointHook', stage='student'))

parents = dict(
    teacher=dict(config='mtcd_teacher_nvgesture-ir.py', inject_at=['model.teachers.teacher.checkpoint']),
    assistant=dict(config='mtcd_assistant_nvgesture-pseudo-ir.py', inject_at=['model.teachers.assistant.checkpoint']),
    pseudo_ir=dict(
        config='mtcd_pseudo-ir_nvgesture.py', inject_at=['train_dataloader.dataset.stores.pseudo_ir'], seed=0))
