# Control of the translator: pseudo-infrared without training. model.kind is luminance, inverted, gamma or random.
_base_ = './mtcd_pseudo-ir_nvgesture.py'

model = dict(
    _delete_=True,
    type='TrivialTranslator',
    kind='luminance',
    generator={{_base_.model.generator}},
    pre_enhance={{_base_.model.pre_enhance}})
test_evaluator = [dict(type='PseudoInfraredStore', output_dir='work_dirs/mtcd_trivial-pseudo-ir_nvgesture/store')]
parents = dict(_delete_=True)
profiles = dict(
    demo=dict(parents=dict(_delete_=True), model=dict(generator={{_base_.profiles.demo.model.generator}})),
    smoke=dict(parents=dict(_delete_=True), model=dict(generator={{_base_.profiles.smoke.model.generator}})))
