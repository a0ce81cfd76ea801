"""Fixtures for all tests."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import atexit
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from mtcd_plugin import _compat
from tests.helpers.fresh_python import FreshPython
from tests.helpers.tiny_data import write_mgr_dark, write_nvgesture

# Hashes of the files that tests make are kept for this run alone; matplotlib keeps its list of fonts.
cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
os.environ.setdefault("MPLCONFIGDIR", str(Path(cache) / "matplotlib"))
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="cache-")
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a script; children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

_compat.apply()  # a test module may import mmaction before the plugin


@pytest.fixture(scope="session")
def mgr_dark_root(tmp_path_factory) -> Path:
    """MGR-Dark: 4 subjects, 3 gestures, dark and daylight; rgb and depth at 25 fps, ir at 12.5 fps."""
    return write_mgr_dark(tmp_path_factory.mktemp("mgr_dark"))


@pytest.fixture(scope="session")
def nvgesture_root(tmp_path_factory) -> Path:
    """NvGesture: 3 training and 2 test clips, all five streams, true windows, rates and logs."""
    return write_nvgesture(tmp_path_factory.mktemp("nvgesture"))


@pytest.fixture(scope="session")
def fresh_python():
    """Runs code in a process that has not imported MMAction2, without the seconds that torch takes."""
    python = FreshPython()
    yield python
    python.close()
