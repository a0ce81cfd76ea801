"""Modality translation from RGB to pseudo-infrared (paper, section 4.1)."""
