"""Where a job was submitted, and whether who did so lives."""

import os
from types import SimpleNamespace

from harness.ledger import submission
from harness.ledger.lock import STALE_S
from harness.ledger.run_dir import SUBMITTED
from harness.ledger.submission import HarnessWatch, Submission, forget, recall, refresh, remember


def test_a_submission_is_kept_until_the_job_is_over(tmp_path):
    refresh(tmp_path)  # nothing to refresh
    assert recall(tmp_path) is None
    remember(tmp_path, Submission("slurm", "a.b"))
    assert recall(tmp_path) == Submission("slurm", "a.b")
    forget(tmp_path)
    assert recall(tmp_path) is None


def test_a_harness_lives_where_its_submission_was_seen_to_be_refreshed_lately(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(submission, "time", SimpleNamespace(monotonic=lambda: now[0]))
    watch = HarnessWatch(tmp_path)
    assert not watch.sees_it()
    remember(tmp_path, Submission("slurm", "a.b"))
    assert not watch.sees_it() and not watch.sees_it()  # it may have been left by one that is gone
    os.utime(tmp_path / SUBMITTED, (1.0, 1.0))
    assert watch.sees_it() and watch.sees_it()
    now[0] += STALE_S
    assert not watch.sees_it()
    refresh(tmp_path)
    assert watch.sees_it()
