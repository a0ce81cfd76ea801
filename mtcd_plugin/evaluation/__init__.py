"""Metrics registered in MMAction2's registry: one import line per module."""

from mtcd_plugin import _compat_applied  # before anything that imports MMAction2
from mtcd_plugin.evaluation import (
    clip_predictions,
    flow_store,
    pseudo_infrared,
    sweep_predictions,
)
