"""What an earlier attempt left in a job's folder."""

import numpy as np
import pytest

from harness.ledger.lock import RunLock
from harness.ledger.tidy import remove_unfinished, set_aside
from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter


def test_a_killed_rendering_leaves_nothing_to_the_next_attempt(tmp_path):
    (tmp_path / "log.txt").write_text("kept")
    killed = ClipStoreWriter(tmp_path / "store", "ir", (8, 8))
    killed.add("clip", np.zeros((2, 8, 8, 1), np.uint8))  # and never closed
    assert len(list(tmp_path.iterdir())) == 2
    remove_unfinished(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["log.txt"]


def test_a_rendering_that_was_killed_before_its_record_is_made_anew(tmp_path):
    """Its store is whole, but nothing says so; the next attempt must not trip over it."""
    with ClipStoreWriter(tmp_path / "store", "ir", (8, 8)) as whole:
        whole.add("clip", np.zeros((2, 8, 8, 1), np.uint8))
    (tmp_path / "strips").mkdir()
    remove_unfinished(tmp_path)
    assert not list(tmp_path.iterdir())
    ClipStoreWriter(tmp_path / "store", "ir", (8, 8)).abort()


def test_half_written_files_go_and_the_claim_stays(tmp_path):
    lock = RunLock(tmp_path)
    assert lock.acquire()
    for name in (".run.json.a1", ".progress.json.b2", ".predictions.parquet.77", ".job.json.c3", ".checkpoint.pth.d4"):
        (tmp_path / name).touch()
    kept = {"run.json", "progress.json", "job.json", "lock"}
    for name in kept - {"lock"}:
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == kept
    lock.check()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_record_is_kept_beside_with_the_reason(tmp_path, kind):
    record = tmp_path / "run.json"
    for number, name in enumerate(("run.json.rejected", "run.json.rejected-1")):
        record.mkdir() if kind == "folder" else record.symlink_to(record) if kind == "link" else record.touch()
        set_aside(tmp_path, f"reason {number}")
        assert (tmp_path / name).is_symlink() or (tmp_path / name).exists()
        assert (tmp_path / f"{name}.reason").read_text() == f"reason {number}\n"
    assert not record.exists() and not record.is_symlink()
