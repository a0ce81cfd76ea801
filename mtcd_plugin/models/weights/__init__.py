"""Starting weights: which file, which keys, what was loaded."""
