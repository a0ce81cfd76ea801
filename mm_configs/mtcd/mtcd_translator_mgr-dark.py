_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mgr_dark_rgb.py',
    '../_base_/models/mtcd_translator.py',
    '../_base_/schedules/translator.py',
]

# Frames of the target's training split, all of a batch's frames from clips of their own; nothing is cropped in step, since
# the cameras do not share a view.
model = dict(pre_enhance='stretch')
train_dataloader = dict(
    batch_size=16,
    sampler=dict(_delete_=True, type='PKSampler', identities=8, instances=2, batches=200),
    dataset=dict(
        modalities=['rgb', 'ir'],
        pipeline=[
            dict(type='SampleClipFrames', clip_len=2),
            dict(type='LoadModalities', size=(256, 256)),
            dict(type='RandomCrop', size=224),
            dict(type='SplitModalities'),
            dict(type='PackClip'),
        ]))
test_dataloader = None
test_evaluator = None
test_cfg = None
default_hooks = dict(stage_checkpoint=dict(type='StageCheckpointHook', stage='translator'))

profiles = dict(
    demo=dict(
        train_dataloader=dict(
            batch_size=8,
            sampler=dict(identities=4, batches=20),
            dataset=dict(pipeline=[
                dict(type='SampleClipFrames', clip_len=1),
                dict(type='LoadModalities', size=(64, 64)),
                dict(type='SplitModalities'),
                dict(type='PackClip'),
            ])),
        optim_wrapper=dict(
            _delete_=True,
            constructor='GANOptimWrapperConstructor',
            generator=dict(optimizer=dict(type='Adam', lr=1e-3, betas=(0.5, 0.999))),
            discriminator=dict(optimizer=dict(type='Adam', lr=5e-4, betas=(0.5, 0.999)))),
        param_scheduler=[dict(type='LinearLR', start_factor=1.0, end_factor=0.01, begin=5, end=10, by_epoch=True)],
        train_cfg=dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=10)),
    smoke=dict(
        train_dataloader=dict(
            batch_size=4,
            num_batch_per_epoch=None,
            sampler=dict(identities=2, batches=2),
            dataset=dict(pipeline=[
                dict(type='SampleClipFrames', clip_len=1),
                dict(type='LoadModalities', size=(36, 36)),
                dict(type='SplitModalities'),
                dict(type='PackClip'),
            ])),
        optim_wrapper=dict(
            _delete_=True,
            constructor='GANOptimWrapperConstructor',
            generator=dict(optimizer=dict(type='Adam', lr=1e-3, betas=(0.5, 0.999))),
            discriminator=dict(optimizer=dict(type='Adam', lr=5e-4, betas=(0.5, 0.999)))),
        param_scheduler=[],
        train_cfg=dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=1)))
