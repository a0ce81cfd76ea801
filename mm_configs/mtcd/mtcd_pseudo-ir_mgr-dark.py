_base_ = '../_base_/stages/mtcd_pseudo_ir.py'

test_dataloader = dict(dataset=dict(type='MGRDarkDataset', data_root='data/mgr_dark', lighting='dark'))
test_evaluator = [dict(type='PseudoInfraredStore', output_dir='work_dirs/mtcd_pseudo-ir_mgr-dark/store')]

# At the scale of a demo the translator is fine-tuned on the target's infrared first, which is not what the draft says: pictures of
# SYSU-MM01's translator are near chance there. Rows named "SYSU-MM01 alone" keep to the draft.
profiles = dict(
    demo=dict(parents=dict(translator=dict(config='mtcd_translator_mgr-dark.py'))),
    smoke=dict(parents=dict(translator=dict(config='mtcd_translator_mgr-dark.py'))))
