# The RGB stream of mtut_ir-streams_mgr-dark.py alone.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb.py',
    '../_base_/models/mtut_ir_stream_rgb.py',
]

train_dataloader = None
train_cfg = None

parents = dict(
    ir_streams=dict(config='mtut_ir-streams_mgr-dark.py', inject_at=['model.members.rgb.checkpoint']))
