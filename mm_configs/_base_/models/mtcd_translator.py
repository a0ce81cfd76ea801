# Structured domain adaptation GAN: 9 residual blocks, 64 channels, 70 x 70 PatchGAN, LSGAN, cycle 10, identity 5, online
# relation consistency 1.0 between two frozen encoders, pools of 50 images, flip, pad and crop. RGB is the source, infrared the target.
# pre_enhance is ours: dark frames lie far outside of what the translator is pretrained on (none is the literal reading).
_base_ = './mtcd_encoder.py'
model = dict(
    _delete_=True,
    type='SDATranslator',
    generator=dict(type='ResNetGenerator', channels=64, blocks=9),
    discriminator=dict(type='PatchDiscriminator', channels=64, layers=3),
    rgb_encoder=dict(model={{_base_.model}}, checkpoint=''),
    ir_encoder=dict(model={{_base_.model}}, checkpoint=''),
    init_from='',
    identity='label',
    cycle_weight=10.0,
    identity_weight=5.0,
    relation_weight=1.0,
    paired_weight=0.0,
    pool_size=50,
    augment=dict(flip_prob=0.5, pad=10),
    pre_enhance='stretch')

profiles = dict(
    demo=dict(_delete_=True, model=dict(
        augment=dict(pad=2),
        generator=dict(channels=6, blocks=2),
        discriminator=dict(channels=8, layers=2),
        rgb_encoder=dict(model={{_base_.profiles.demo.model}}),
        ir_encoder=dict(model={{_base_.profiles.demo.model}}))),
    smoke=dict(_delete_=True, model=dict(
        augment=dict(pad=2),
        pool_size=4,
        generator=dict(channels=4, blocks=1),
        discriminator=dict(channels=4, layers=2),
        rgb_encoder=dict(model={{_base_.profiles.smoke.model}}),
        ir_encoder=dict(model={{_base_.profiles.smoke.model}}))))
