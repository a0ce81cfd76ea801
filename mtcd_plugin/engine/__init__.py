"""Hooks and functions for MMEngine's runner: one import line per module."""

from mtcd_plugin import _compat_applied  # before anything that imports MMAction2
from mtcd_plugin.engine import (
    gan_optim_wrapper,
    seed_worker,
    sweep_optim_wrapper,
)
from mtcd_plugin.engine.hooks import (
    class_count_hook,
    clip_visualization_hook,
    epoch_seed_hook,
    key_points_hook,
    plain_checkpoint_hook,
    single_teacher_checkpoint_hook,
    stage_checkpoint_hook,
    starting_weights_hook,
    training_state_hook,
)
