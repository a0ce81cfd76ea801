"""Fingerprints of source code."""
