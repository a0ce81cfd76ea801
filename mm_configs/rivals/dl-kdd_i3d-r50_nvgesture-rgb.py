# DL-KDD's idea: the teacher is MTCD's network, trained on brightened RGB instead of infrared; its logits are distilled.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb.py',
    '../_base_/models/rival_i3d_r50.py',
    '../_base_/schedules/paper.py',
]

model = dict(
    student=dict(cls_head=dict(num_classes=25)),
    teachers=dict(teacher=dict(model=dict(cls_head=dict(num_classes=25)), input='enhanced_rgb')),
    data_preprocessor=dict(
        type='TranslatingPreprocessor',
        target='enhanced_rgb',
        translator=dict(type='Enhancer', pre_enhance='stretch')))
default_hooks = dict(stage_checkpoint=dict(type='SingleTeacherCheckpointHook'))

parents = dict(
    teacher=dict(
        config='../mtcd/mtcd_teacher_nvgesture-ir.py',
        inject_at=['model.teachers.teacher.checkpoint'],
        overrides={
            'model.data_preprocessor': dict(
                _delete_=True,
                type='TranslatingPreprocessor',
                target='',
                translator=dict(type='Enhancer', pre_enhance='stretch')),
            'train_dataloader.dataset.modalities': ['rgb'],
            'test_dataloader.dataset.modalities': ['rgb'],
        }))
