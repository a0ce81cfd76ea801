"""Clip stores: videos decoded once."""
