_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_ir.py',
    '../_base_/models/mtcd_teacher_i3d_r50.py',
    '../_base_/schedules/paper.py',
]

default_hooks = dict(stage_checkpoint=dict(type='StageCheckpointHook', stage='teacher'))
