# AutoGesture on RGB and depth: six branches with 18 connections at each of three places.
_base_ = './nas.py'
model = dict(
    type='JointBackboneRecognizer',
    modalities=['rgb', 'depth'],
    backbone=dict(modalities=['rgb', 'depth']),
    cls_head=dict(in_channels=6144))
profiles = dict(
    demo=dict(model=dict(cls_head=dict(in_channels=384))),
    smoke=dict(model=dict(cls_head=dict(in_channels=384))))
