"""``data cache`` makes what the named jobs read, and says what ``--check`` has compared."""

import pytest

from harness.ledger.files import sha256_of
from mtcd_plugin.formats.clip_store import FRAMES
from tests.helpers.command_line import harness_here

RGB, DEPTH = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"


@pytest.fixture
def cache(small_configs, tiny_data, tmp_path):
    def call(*more):
        suite = ["--configs", small_configs, "--data-root", tiny_data, "--work-dir", tmp_path, "--profile", "smoke"]
        return harness_here("data", "cache", *suite, "--jobs", "1", *more)

    return call


def test_stores_of_named_jobs_alone_are_made_and_what_was_compared_is_said(cache, tmp_path):
    root = tmp_path / "clip_store"
    assert cache("--cell", RGB).stdout == f"1 clip store in {root}\n"
    (store,) = (p for p in root.iterdir() if not p.name.startswith("."))
    assert store.name.startswith("rgb")
    before = sha256_of(store / FRAMES)
    done = cache("--check")
    assert done.stdout == f"2 clip stores in {root}: sound, all frames compared with their checksums or written now\n"
    compared = [line for line in done.stderr.splitlines() if "compared" in line]
    assert len(compared) == 1 and compared[0].endswith(": compared with its checksums, all frames as they were written")
    assert compared[0].startswith("clip store rgb")
    with (store / FRAMES).open("r+b") as frames:
        frames.write(b"\xff" * 100)
    done = cache("--check", "--cell", RGB)
    assert "1 of 12 clips do not match their checksum" in done.stderr and done.returncode == 0
    assert sha256_of(store / FRAMES) == before
    assert "compared" not in cache().stderr


def test_what_cannot_be_planned_is_said(cache, small_configs):
    (small_configs / "i3d" / f"{DEPTH}.py").write_text("model = dict(")
    done = cache()
    assert done.returncode == 0 and f"cannot plan {DEPTH}-s0" in done.stderr
    done = cache("--cell", DEPTH)
    assert done.returncode == 1 and done.stdout.startswith("0 clip stores in ") and "sound" not in done.stdout
