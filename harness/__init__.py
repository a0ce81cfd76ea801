"""Benchmark leaderboard harness for gesture recognition in the dark."""

__version__ = "0.1.0"
