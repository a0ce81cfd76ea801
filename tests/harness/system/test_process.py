"""Processes that keep what they have freed."""

import os
import platform
import subprocess
import sys

import pytest

from harness.system.process import keep_freed_memory

PROGRAM = """
import resource

def step():
    parts = [bytearray(8 << 20) for _ in range(10)]
    for part in parts:
        part[::4096] = bytes(len(part) // 4096)

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

step()
before = faults()
step()
print(faults() - before)
"""


def page_faults():
    """Of a step that takes and frees 80 MiB, after one like it."""
    return int(subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="variables of glibc")
def test_memory_that_a_step_has_freed_is_there_for_the_next(monkeypatch):
    for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
        monkeypatch.setenv(name, "")  # put back to what it was
        monkeypatch.delenv(name)
    given_back = page_faults()
    keep_freed_memory()
    assert page_faults() < 0.1 * given_back


def test_what_the_environment_says_stays(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "2000000")
    keep_freed_memory()
    assert (os.environ["MALLOC_TRIM_THRESHOLD_"], os.environ["MALLOC_MMAP_THRESHOLD_"]) == ("1000000", "2000000")
