"""Metrics registered in MMAction2's registry: one import line per module."""

from mtcd_plugin.evaluation import (
    clip_predictions,  # noqa: F401
    pseudo_infrared,  # noqa: F401
    sweep_predictions,  # noqa: F401
)
