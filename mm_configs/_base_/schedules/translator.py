# As structured domain adaptation: Adam 2e-4 (0.5, 0.999), 50 epochs constant and 50 linearly to zero, 200 steps each.
optim_wrapper = dict(
    constructor='GANOptimWrapperConstructor',
    generator=dict(optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))),
    discriminator=dict(optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))))
param_scheduler = [dict(type='LinearLR', start_factor=1.0, end_factor=1e-3, begin=50, end=100, by_epoch=True)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100)
