"""Whether there is a place for what is kept between commands: hashes of files, drawings, downloaded weights."""

from __future__ import annotations

import os

from harness.errors import BadUsage


def check_home() -> None:
    """Raise BadUsage where neither the user's home folder nor a cache folder is known, as in a container that runs as a
    number: libraries refuse to work then, or make a folder that is called ``~``.
    """
    cache, home = os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~")
    if not os.path.isabs(cache) and not os.path.isabs(home):
        said = f"HOME is {os.environ['HOME']!r}" if os.environ.get("HOME") else "HOME is not set"
        raise BadUsage(f"this user has no home folder ({said}); set it to a folder: export HOME=/path/to/folder")
