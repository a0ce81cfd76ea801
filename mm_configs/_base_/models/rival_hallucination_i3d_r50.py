# Modality distillation (hallucination): soft labels at temperature 10, and features that become the teacher's.
_base_ = './rival_i3d_r50.py'
model = dict(class_weight=0.25, distillation=dict(_delete_=True, type='HallucinationDistillation'))
