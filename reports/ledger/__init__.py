"""Records as pages see them."""
