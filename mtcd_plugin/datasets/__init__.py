"""Data sets registered in MMAction2's registry: one import line per module."""

from mtcd_plugin.datasets import mgr_dark_dataset, nvgesture_dataset  # noqa: F401
