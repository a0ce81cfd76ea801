"""Intervals, significance tests, adjustment and ranks, as pure functions of correctness.

*Correctness* is a boolean array [seeds, clips]: whether a run classified a clip rightly. Accuracies are fractions in
[0, 1]. Of SciPy ``scipy.special`` alone is imported, and where it is used: ``scipy.stats`` takes a second to import.
"""
