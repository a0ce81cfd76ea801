# Adversarial discriminative modality distillation: features that a discriminator takes for the teacher's. The authors' student starts
# from the teacher's weights and has this loss alone; one from scratch does not fit its clips with a weight of 1 beside it.
_base_ = './rival_i3d_r50.py'
model = dict(
    class_weight=1.0,
    distillation=dict(
        _delete_=True, type='AdversarialDistillation', channels=2048, num_classes=10, steps=4, weight=0.05))

profiles = dict(
    demo=dict(model=dict(distillation=dict(channels=96))),
    smoke=dict(model=dict(distillation=dict(channels=32, steps=2))))
