# The RGB stream of mtut_ir-streams_nvgesture.py alone.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_rgb.py',
    '../_base_/models/mtut_ir_stream_rgb.py',
]

model = dict(members=dict(rgb=dict(model=dict(cls_head=dict(num_classes=25)))))

train_dataloader = None
train_cfg = None

parents = dict(
    ir_streams=dict(config='mtut_ir-streams_nvgesture.py', inject_at=['model.members.rgb.checkpoint']))
