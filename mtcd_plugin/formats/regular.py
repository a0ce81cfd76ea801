"""Files of a data set are regular files: opening a named pipe waits for ever, a device may never end."""

from __future__ import annotations

import errno
import os
import stat


def regular_stat(path: str | os.PathLike) -> os.stat_result:
    """``os.stat`` of a regular file, links followed. OSError for anything else, as where there is nothing."""
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "a pipe, socket or device, not a regular file", os.fspath(path))
    return found
