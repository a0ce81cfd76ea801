"""Names of files for FFmpeg."""

from __future__ import annotations

import os


def file_url(path: str | os.PathLike) -> str:
    """A path as FFmpeg takes it whatever is in it: ``a:b.mp4`` alone would be the protocol ``a``."""
    return f"file:{os.fspath(path)}"
