_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_depth.py',
    '../_base_/models/prernn.py',
    '../_base_/schedules/paper.py',
]

# The recurrent matrices are new where the rest is pretrained.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'backbone.fc6.hidden': dict(lr_mult=10.)}))
