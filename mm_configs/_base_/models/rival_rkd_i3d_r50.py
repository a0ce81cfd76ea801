# Relational knowledge distillation: distances and angles between the clips of a batch.
_base_ = './rival_i3d_r50.py'
model = dict(class_weight=1.0, distillation=dict(_delete_=True, type='RelationalDistillation', distance_weight=25.0, angle_weight=50.0))
