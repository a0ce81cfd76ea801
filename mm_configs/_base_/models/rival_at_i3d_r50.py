# Attention transfer: where the four stages of both networks are active.
_base_ = './rival_i3d_r50.py'
model = dict(class_weight=1.0, distillation=dict(_delete_=True, type='AttentionTransfer', weight=1000.0))
