"""Measurements of the harness itself, by the command ``bench``. No test asserts a time; these do the telling."""
