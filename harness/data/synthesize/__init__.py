"""The built-in synthetic data: a procedural generator of gesture videos in the layouts of the real sets."""

from harness.data.synthesize.build import PRESETS, generators, made_unasked, synthesize
from harness.data.synthesize.seeding import GENERATOR_VERSION

__all__ = ["GENERATOR_VERSION", "PRESETS", "generators", "made_unasked", "synthesize"]
