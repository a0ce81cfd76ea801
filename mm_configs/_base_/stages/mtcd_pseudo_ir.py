# Rendering, not a training: every clip of both splits through the translator, frame by frame, once. A config names the data set.
_base_ = [
    '../default_runtime.py',
    '../datasets/clips.py',
    '../models/mtcd_translator.py',
]

model = dict(
    _delete_=True,
    type='TrainedTranslator',
    generator={{_base_.model.generator}},
    pre_enhance={{_base_.model.pre_enhance}},
    checkpoint='')
train_dataloader = None
train_cfg = None
test_dataloader = dict(
    batch_size=4,
    dataset=dict(
        split='all',
        modalities=['rgb', 'ir'],
        missing_modality=dict(ir='blank'),
        pipeline=[
            dict(type='SampleClipFrames', clip_len=None, test_mode=True),
            dict(type='LoadModalities', size=(256, 256)),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))

# The draft's words: the translator of SYSU-MM01 alone.
parents = dict(translator=dict(config='mtcd_translator_sysu-mm01.py', inject_at=['model.checkpoint'], seed=0))

profiles = dict(
    demo=dict(
        _delete_=True,
        model=dict(generator={{_base_.profiles.demo.model.generator}}),
        test_dataloader=dict(batch_size=16, dataset=dict(pipeline=[
            dict(type='SampleClipFrames', clip_len=None, test_mode=True),
            dict(type='LoadModalities', size=(64, 64)),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))),
    smoke=dict(
        _delete_=True,
        model=dict(generator={{_base_.profiles.smoke.model.generator}}),
        test_dataloader=dict(batch_size=16, dataset=dict(pipeline=[
            dict(type='SampleClipFrames', clip_len=None, test_mode=True),
            dict(type='LoadModalities', size=(36, 36)),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))))
