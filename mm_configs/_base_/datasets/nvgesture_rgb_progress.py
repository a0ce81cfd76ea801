_base_ = './nvgesture_rgb.py'
# As there, and each frame of a training clip says how far the gesture is.
train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='SampleClipFrames', clip_len=32),
    dict(type='GestureProgress'),
    dict(type='LoadModalities', size=(256, 256)),
    dict(type='RandomCrop', size=224),
    dict(type='SplitModalities'),
    dict(type='PackClip'),
]))
