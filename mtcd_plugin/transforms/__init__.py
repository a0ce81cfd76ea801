"""Transforms registered in MMAction2's registry: one import line per module."""

from mtcd_plugin import _compat_applied  # before anything that imports MMAction2
from mtcd_plugin.transforms import (
    consecutive_frames,
    gesture_progress,
    load_key_points,
    load_modalities,
    pack_clip,
    pack_clip_id,
    sample_clip_frames,
    split_modalities,
    weighted_frame_unification,
)
