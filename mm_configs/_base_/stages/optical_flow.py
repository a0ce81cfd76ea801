# Rendering, not a training: optical flow of every clip of both splits, frame by frame, once. A config names the data set.
# Flow is computed at 256 x 256 and kept to +-20 pixels; smaller frames have a smaller bound, since motion is smaller there.
# Dark frames are brightened first, one factor per clip.
_base_ = [
    '../default_runtime.py',
    '../datasets/clips.py',
]

model = dict(type='OpticalFlow', bound=20., preset='medium', pre_enhance='stretch')
train_dataloader = None
train_cfg = None
test_dataloader = dict(
    batch_size=4,
    dataset=dict(
        split='all',
        modalities=['rgb'],
        pipeline=[
            dict(type='SampleClipFrames', clip_len=None, test_mode=True),
            dict(type='LoadModalities', size=(256, 256)),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))

profiles = dict(
    demo=dict(
        model=dict(bound=5.),
        test_dataloader=dict(batch_size=16, dataset=dict(pipeline=[
            dict(type='SampleClipFrames', clip_len=None, test_mode=True),
            dict(type='LoadModalities', size=(64, 64)),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))),
    smoke=dict(
        model=dict(bound=3.),
        test_dataloader=dict(batch_size=16, dataset=dict(pipeline=[
            dict(type='SampleClipFrames', clip_len=None, test_mode=True),
            dict(type='LoadModalities', size=(36, 36)),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))))
