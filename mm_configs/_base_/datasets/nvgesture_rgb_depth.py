_base_ = './nvgesture_rgb.py'
# Both streams with the same frames and the same crop; a clip that lacks one of them is left out.
train_dataloader = dict(dataset=dict(modalities=['rgb', 'depth'], missing_modality=dict(depth='drop')))
test_dataloader = dict(dataset=dict(modalities=['rgb', 'depth']))
