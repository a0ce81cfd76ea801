"""Benchmark leaderboard harness for gesture recognition in the dark."""

from pathlib import Path

__version__ = "0.2.0"

PACKAGED_CONFIGS = Path(__file__).resolve().parents[1] / "mm_configs"  # beside the package, in a checkout and installed
