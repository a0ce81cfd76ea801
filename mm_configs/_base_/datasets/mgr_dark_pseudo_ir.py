_base_ = './mgr_dark_rgb.py'
# Infrared rendered from RGB: set the folder of the store that the translator's rendering has written.
train_dataloader = dict(dataset=dict(modalities=['pseudo_ir'], stores=dict(pseudo_ir='')))
test_dataloader = dict(dataset=dict(modalities=['pseudo_ir'], stores=dict(pseudo_ir='')))
