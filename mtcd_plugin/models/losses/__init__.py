"""Distances between features."""
