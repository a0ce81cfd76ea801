"""Transforms registered in MMAction2's registry: one import line per module."""

from mtcd_plugin.transforms import (  # noqa: F401
    load_modalities,
    pack_clip,
    sample_clip_frames,
    split_modalities,
)
