# Structured domain adaptation GAN (systems: 9 residual blocks, 64 channels, 70 x 70 PatchGAN, LSGAN, cycle 10, identity 5,
# online relation consistency 1.0 with two frozen encoders, pools of 50 images). RGB is the source, infrared the target.
model = dict(
    type='SDATranslator',
    generator=dict(type='ResNetGenerator', channels=64, blocks=9),
    discriminator=dict(type='PatchDiscriminator', channels=64, layers=3),
    rgb_encoder=None,
    ir_encoder=None,
    init_from='',
    pairing='unpaired',
    identity='label',
    cycle_weight=10.0,
    identity_weight=5.0,
    relation_weight=1.0,
    paired_weight=0.0,
    pool_size=50,
    pre_enhance='none')

profiles = dict(
    demo=dict(model=dict(
        generator=dict(channels=6, blocks=2),
        discriminator=dict(channels=8, layers=2))),
    smoke=dict(model=dict(
        generator=dict(channels=4, blocks=1),
        discriminator=dict(channels=4, layers=2))))
