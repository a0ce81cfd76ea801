"""Statistics and contact sheets of data sets."""
