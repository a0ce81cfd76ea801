"""Cut recordings into clips."""
