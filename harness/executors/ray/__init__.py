"""Jobs of a Ray cluster: one detached actor for each, which runs the worker on its node."""
