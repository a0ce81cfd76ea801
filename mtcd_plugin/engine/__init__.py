"""Hooks and functions for MMEngine's runner: one import line per module."""

from mtcd_plugin.engine import (
    gan_optim_wrapper,  # noqa: F401
    seed_worker,  # noqa: F401
    sweep_optim_wrapper,  # noqa: F401
)
from mtcd_plugin.engine.hooks import (  # noqa: F401
    class_count_hook,
    clip_visualization_hook,
    epoch_seed_hook,
    plain_checkpoint_hook,
    stage_checkpoint_hook,
    starting_weights_hook,
    training_state_hook,
)
