"""The embedded data: a procedural generator of gesture videos in the layouts of the real sets."""

from harness.data.synthesize.build import DATASETS, PRESETS, synthesize
from harness.data.synthesize.seeding import GENERATOR_VERSION

__all__ = ["DATASETS", "GENERATOR_VERSION", "PRESETS", "synthesize"]
