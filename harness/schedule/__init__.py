"""Which jobs start when, and what their end means."""
