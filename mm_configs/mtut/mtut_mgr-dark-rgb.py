# The RGB stream of mtut_mgr-dark-rgb-depth.py alone.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb.py',
    '../_base_/models/mtut_stream_rgb.py',
]

train_dataloader = None
train_cfg = None

parents = dict(
    streams=dict(config='mtut_mgr-dark-rgb-depth.py', inject_at=['model.members.rgb.checkpoint']))
