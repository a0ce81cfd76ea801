"""Data sets registered in MMAction2's registry: one import line per module."""

from mtcd_plugin import _compat_applied  # before anything that imports MMAction2
from mtcd_plugin.datasets import (
    mgr_dark_dataset,
    nvgesture_dataset,
    source_motions_dataset,
    sysu_mm01,
)
