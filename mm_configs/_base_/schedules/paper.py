# Section 5.1 of the paper: SGD, initial learning rate 1e-4, x0.1 after 20 epochs, 80 epochs (batch size 32: see datasets).
# Momentum and weight decay are not given there; 0.9 and 1e-4 are the usual values with SGD.
# Nothing is validated during training, so nothing can be selected on the test split: the last epoch counts.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-4, momentum=0.9, weight_decay=1e-4))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, begin=0, end=80, milestones=[20], gamma=0.1)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=80)
