_base_ = './mgr_dark_rgb.py'
# Distillation: the training split has the teacher's and the assistant's infrared, the test split rgb alone.
# A clip without infrared is trained without its distillation terms.
train_dataloader = dict(
    dataset=dict(modalities=['rgb', 'ir', 'pseudo_ir'], stores=dict(pseudo_ir=''), missing_modality=dict(ir='blank')))
test_dataloader = dict(dataset=dict(modalities=['rgb']))
