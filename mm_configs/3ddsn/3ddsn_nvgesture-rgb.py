# Both streams: mean of the class probabilities of C3D on frames and of C3D on saliency maps. Nothing is trained.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/nvgesture_fusion.py',
    '../_base_/models/score_fusion.py',
]

model = dict(members=dict(_delete_=True, appearance=dict(predictions=''), saliency=dict(predictions='')))
parents = dict(
    appearance=dict(config='../c3d/c3d_nvgesture-rgb.py', output='predictions', inject_at='model.members.appearance.predictions'),
    saliency=dict(config='3ddsn_saliency_nvgesture-rgb.py', output='predictions', inject_at='model.members.saliency.predictions'))
