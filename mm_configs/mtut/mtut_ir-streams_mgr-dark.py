# RGB taught by infrared, and infrared by RGB. The network that counts is the RGB stream: mtut_ir_mgr-dark-rgb.py tests it.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb_ir.py',
    '../_base_/models/mtut_ir_i3d_r50.py',
    '../_base_/schedules/paper.py',
]
train_dataloader = dict(dataset=dict(modalities=['rgb', 'ir']))
test_dataloader = None
test_cfg = None
test_evaluator = None
