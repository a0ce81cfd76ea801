"""Recognizers registered in MMAction2's registry."""
