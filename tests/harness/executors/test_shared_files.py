"""Files that a node of a cluster has written, as another machine sees them."""

from types import SimpleNamespace

from harness.executors import shared_files
from harness.executors.shared_files import sleep_until_recorded
from harness.ledger.run_dir import RECORD


def test_a_record_that_appears_ends_a_sleep_and_one_that_was_there_does_not(tmp_path, monkeypatch):
    old, new = tmp_path / "old", tmp_path / "new"
    for run_dir in (old, new):
        run_dir.mkdir()
    (old / RECORD).touch()
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            (new / RECORD).touch()

    monkeypatch.setattr(shared_files, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: sum(slept)))
    sleep_until_recorded([None, old, new], 1.0)
    assert len(slept) == 3 and sum(slept) < 1.0
    slept.clear()
    sleep_until_recorded([None, old, new], 0.25)
    assert sum(slept) == 0.25
