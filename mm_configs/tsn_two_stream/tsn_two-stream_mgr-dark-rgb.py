# Both streams: mean of the class probabilities of TSN on RGB and of TSN on flow. Nothing is trained.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_fusion.py',
    '../_base_/models/score_fusion.py',
]

model = dict(members=dict(_delete_=True, rgb=dict(predictions=''), flow=dict(predictions='')))
parents = dict(
    rgb=dict(config='../tsn/tsn_r50_mgr-dark-rgb.py', output='predictions', inject_at='model.members.rgb.predictions'),
    flow=dict(config='tsn_r50_mgr-dark-flow.py', output='predictions', inject_at='model.members.flow.predictions'))
