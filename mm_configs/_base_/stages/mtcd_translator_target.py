_base_ = '../../mtcd/mtcd_translator_sysu-mm01.py'

# "Fine-tuned on the target's infrared": the translator of SYSU-MM01 goes on with frames of the target's training split, without
# relation loss. The draft does not say that it does so; its words are "SYSU-MM01 alone". RGB and infrared of one batch show the same
# clips, but no term compares them; model.paired_weight adds one, for registered cameras. An identity is a subject here.
model = dict(identity='subject', relation_weight=0.0)
auto_scale_lr = dict(enable=False, base_batch_size=16)  # of tools/train.py --auto-scale-lr
train_dataloader = dict(
    batch_size=16,
    sampler=dict(identities=8, instances=2, batches=200, by='subject'),
    dataset=dict(
        _delete_=True,
        split='train',
        modalities=['rgb', 'ir'],
        missing_modality=dict(ir='drop'),
        clip_store='',
        pipeline=[
            dict(type='SampleClipFrames', clip_len=2),
            dict(type='LoadModalities', size=(256, 256)),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))
param_scheduler = [dict(type='LinearLR', start_factor=1.0, end_factor=1e-3, begin=10, end=20, by_epoch=True)]
train_cfg = dict(max_epochs=20)

parents = dict(
    _delete_=True, translator=dict(config='mtcd_translator_sysu-mm01.py', inject_at=['model.init_from'], seed=0))

profiles = dict(
    demo=dict(
        train_dataloader=dict(
            batch_size=8,
            sampler=dict(identities=4, batches=20, by='subject'),
            dataset=dict(
                _delete_=True,
                pipeline=[
                    dict(type='SampleClipFrames', clip_len=1),
                    dict(type='LoadModalities', size=(64, 64)),
                    dict(type='SplitModalities'),
                    dict(type='PackClip'),
                ])),
        param_scheduler=[dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=5, end=10, by_epoch=True)],
        train_cfg=dict(max_epochs=10)),
    smoke=dict(
        train_dataloader=dict(
            batch_size=4,
            sampler=dict(identities=2, batches=2),
            dataset=dict(
                _delete_=True,
                pipeline=[
                    dict(type='SampleClipFrames', clip_len=1),
                    dict(type='LoadModalities', size=(36, 36)),
                    dict(type='SplitModalities'),
                    dict(type='PackClip'),
                ])),
        param_scheduler=[],
        train_cfg=dict(max_epochs=1)))
