_base_ = './nvgesture_rgb.py'
# Distillation: the training split has the teacher's and the assistant's infrared, the test split depth alone.
# A clip without infrared is trained without its distillation terms.
train_dataloader = dict(
    dataset=dict(modalities=['depth', 'ir', 'pseudo_ir'], stores=dict(pseudo_ir=''), missing_modality=dict(ir='blank')))
test_dataloader = dict(dataset=dict(modalities=['depth']))
