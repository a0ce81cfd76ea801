_base_ = './mgr_dark_rgb.py'
# Stacks of optical flow: at each of the sampled instants the motion from that frame to the next, and of four frames more.
# Set the folder of the store that the rendering of flow has written.
train_dataloader = dict(dataset=dict(
    modalities=['flow'],
    stores=dict(flow=''),
    pipeline=[
        dict(type='SampleClipFrames', clip_len=32),
        dict(type='ConsecutiveFrames', consecutive=5),
        dict(type='LoadModalities', size=(256, 256)),
        dict(type='RandomCrop', size=224),
        dict(type='SplitModalities'),
        dict(type='PackClip'),
    ]))
test_dataloader = dict(dataset=dict(
    modalities=['flow'],
    stores=dict(flow=''),
    pipeline=[
        dict(type='SampleClipFrames', clip_len=32, test_mode=True),
        dict(type='ConsecutiveFrames', consecutive=5),
        dict(type='LoadModalities', size=(256, 256)),
        dict(type='CenterCrop', crop_size=224),
        dict(type='SplitModalities'),
        dict(type='PackClip'),
    ]))
