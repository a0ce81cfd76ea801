"""Transforms registered in MMAction2's registries: one import line per module."""
