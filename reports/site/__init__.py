"""Writes the site."""
