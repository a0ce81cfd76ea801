"""Runs one job: ``python -m harness.worker RUN_DIR``."""
