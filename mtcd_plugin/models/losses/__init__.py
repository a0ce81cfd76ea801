"""Distances between features, and losses between a student and a frozen teacher."""
