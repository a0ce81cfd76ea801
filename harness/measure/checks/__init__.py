"""``models check``: one entry, part by part."""
