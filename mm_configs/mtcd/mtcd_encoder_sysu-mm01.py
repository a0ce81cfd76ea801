_base_ = ['../_base_/default_runtime.py', '../_base_/models/mtcd_encoder.py']

# Read literally, both encoders see RGB images and differ in their seed alone (1 and 2); images='rgb+ir' shows the second one
# the infrared images too, whose people SYSU-MM01 names as well.
auto_scale_lr = dict(enable=False, base_batch_size=64)  # of tools/train.py --auto-scale-lr
train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='PKSampler', identities=16, instances=4, batches=200),
    dataset=dict(type='SYSUMM01Dataset', data_root='data/sysu_mm01', split='train', images='rgb', size=(128, 256)))
optim_wrapper = dict(optimizer=dict(type='Adam', lr=3.5e-4, weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=10, convert_to_iter_based=True),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=80, milestones=[40, 70], gamma=0.1),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=80)
default_hooks = dict(stage_checkpoint=dict(type='StageCheckpointHook', stage='encoder'))

profiles = dict(
    demo=dict(
        train_dataloader=dict(
            batch_size=32,
            sampler=dict(identities=8, batches=10),
            dataset=dict(size=(32, 64))),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=2e-3, weight_decay=5e-4)),
        param_scheduler=[dict(type='LinearLR', start_factor=1.0, end_factor=0.05, begin=0, end=6, by_epoch=True)],
        train_cfg=dict(max_epochs=6)),
    smoke=dict(
        train_dataloader=dict(
            batch_size=4,
            num_batch_per_epoch=None,
            sampler=dict(identities=2, instances=2, batches=2),
            dataset=dict(size=(32, 64))),
        param_scheduler=[],
        train_cfg=dict(max_epochs=1)))
