"""Data preprocessors registered in MMAction2's registry."""
