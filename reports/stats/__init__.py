"""Intervals, significance tests, adjustment and ranks, as pure functions of correctness.

*Correctness* is a boolean array [seeds, clips]: whether a run classified a clip rightly. Accuracies are fractions in
[0, 1]. SciPy is imported where it is used: commands that need no statistics start without it.
"""
