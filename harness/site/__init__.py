"""The folder or branch that pages are published from."""
