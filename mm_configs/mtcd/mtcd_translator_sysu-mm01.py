_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mtcd_translator.py',
    '../_base_/schedules/translator.py',
]

# "SYSU-MM01 alone", the draft's words: trained on its RGB and infrared images, which are no pairs but share people.
auto_scale_lr = dict(enable=False, base_batch_size=32)  # of tools/train.py --auto-scale-lr
train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='PKSampler', identities=8, instances=4, batches=200),
    dataset=dict(
        type='SYSUMM01Dataset',
        data_root='data/sysu_mm01',
        split='train',
        images='rgb',
        with_infrared=True,
        size=(128, 256)))
default_hooks = dict(stage_checkpoint=dict(type='StageCheckpointHook', stage='translator'))

parents = dict(
    rgb_encoder=dict(config='mtcd_encoder_sysu-mm01.py', inject_at=['model.rgb_encoder.checkpoint'], seed=1),
    ir_encoder=dict(config='mtcd_encoder_sysu-mm01.py', inject_at=['model.ir_encoder.checkpoint'], seed=2))

# What _base_/profiles sets for recognizers is put back for a generator and a discriminator.
profiles = dict(
    demo=dict(
        train_dataloader=dict(
            batch_size=8,
            sampler=dict(identities=4, instances=2, batches=20),
            dataset=dict(size=(32, 64))),
        optim_wrapper=dict(
            _delete_=True,
            constructor='GANOptimWrapperConstructor',
            generator=dict(optimizer=dict(type='Adam', lr=1e-3, betas=(0.5, 0.999))),
            discriminator=dict(optimizer=dict(type='Adam', lr=5e-4, betas=(0.5, 0.999)))),
        param_scheduler=[],
        train_cfg=dict(max_epochs=5)),
    smoke=dict(
        train_dataloader=dict(
            batch_size=4,
            num_batch_per_epoch=None,
            sampler=dict(identities=2, instances=2, batches=2),
            dataset=dict(size=(32, 64))),
        optim_wrapper=dict(
            _delete_=True,
            constructor='GANOptimWrapperConstructor',
            generator=dict(optimizer=dict(type='Adam', lr=1e-3, betas=(0.5, 0.999))),
            discriminator=dict(optimizer=dict(type='Adam', lr=5e-4, betas=(0.5, 0.999)))),
        param_scheduler=[]))
