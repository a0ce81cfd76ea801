"""Necks: what stands between a backbone and its head."""
