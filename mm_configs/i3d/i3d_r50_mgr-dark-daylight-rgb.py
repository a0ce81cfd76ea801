_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb.py',
    '../_base_/models/i3d_r50.py',
    '../_base_/schedules/paper.py',
]

# The same clips as the dark ones (paired takes), recorded in daylight: what darkness costs.
train_dataloader = dict(dataset=dict(lighting='daylight'))
test_dataloader = dict(dataset=dict(lighting='daylight'))
