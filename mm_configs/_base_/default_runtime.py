# Shared by every config. Nothing is selected on the test split: the last epoch is the result.
default_scope = 'mmaction'
custom_imports = dict(imports=['mtcd_plugin.register'], allow_failed_imports=False)

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=1, save_last=True),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
    class_count=dict(type='ClassCountHook'),
    epoch_seed=dict(type='EpochSeedHook'),
    plain_checkpoint=dict(type='PlainCheckpointHook'),
    training_state=dict(type='TrainingStateHook'),
    starting_weights=dict(type='StartingWeightsHook'),
    visualization=dict(type='ClipVisualizationHook'))  # for tools/test.py --show-dir

# No randomness here: tools/train.py heeds --seed, --deterministic and --diff-rank-seed only where a config has none.

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='ActionVisualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
