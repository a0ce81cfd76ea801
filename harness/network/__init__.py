"""A built network by itself: random clips for it, and what predicting costs. Imports torch; knows no plan."""
