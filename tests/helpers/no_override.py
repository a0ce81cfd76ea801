"""Permissions that hold for root too: the capabilities that override them are laid down for a while."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION_3 = 0x20080522  # of capset(2)
OVERRIDE = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


class Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class Data(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


def _call(name: str, data: ctypes.Array) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(ctypes.byref(Header(VERSION_3, 0)), data) != 0:
        raise OSError(ctypes.get_errno(), name)


@contextmanager
def closed(path: Path) -> Iterator[None]:
    """A file or folder that this thread may not open, as one of another user with mode 600 or 700."""
    mode = path.stat().st_mode
    data = (Data * 2)()
    _call("capget", data)
    before = data[0].effective
    path.chmod(0)
    try:
        data[0].effective = before & ~OVERRIDE
        _call("capset", data)
        assert not os.access(path, os.R_OK, effective_ids=True)
        yield
    finally:
        data[0].effective = before
        _call("capset", data)
        path.chmod(mode & 0o7777)
