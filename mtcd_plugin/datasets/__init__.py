"""Data sets registered in MMAction2's registry: one import line per module."""

from mtcd_plugin.datasets import (  # noqa: F401
    mgr_dark_dataset,
    nvgesture_dataset,
    sysu_mm01,  # noqa: F401
)
