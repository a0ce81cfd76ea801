_base_ = './mgr_dark_rgb.py'
# Distillation: the training split has the teacher's and the assistant's infrared, the test split rgb alone.
train_dataloader = dict(dataset=dict(modalities=['rgb', 'ir', 'pseudo_ir'], stores=dict(pseudo_ir='')))
test_dataloader = dict(dataset=dict(modalities=['rgb']))
