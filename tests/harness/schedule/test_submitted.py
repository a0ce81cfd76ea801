"""What ``status`` calls jobs that an engine has."""

from types import SimpleNamespace

import pytest

from harness.ledger.submission import Submission, remember
from harness.plan.run_state import folder_of
from harness.plan.status import JobState
from harness.schedule import submitted
from tests.helpers.toy_jobs import toy_job


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("7 PENDING (Priority)", "queued"),  # as Slurm says it
        ("ab@10.0.0.1 PENDING", "queued"),  # as Ray does
        ("7 RUNNING on node1", "running"),
        ("7 COMPLETING on node1", "running"),
        (None, "missing"),
    ],
)
def test_what_waits_in_a_queue_does_not_run(tmp_path, monkeypatch, line, state):
    job = toy_job("a")
    folder = folder_of(job, tmp_path)
    folder.mkdir(parents=True)
    remember(folder, Submission("engine", "7"))
    engine = SimpleNamespace(describe=lambda ids: {"7": line} if line else {})
    monkeypatch.setattr(submitted, "executors", lambda: {"engine": engine})
    (found,), faults = submitted.with_submitted([JobState(job, "missing")], tmp_path)
    assert (found.state, found.detail, faults) == (state, f"engine job {line}" if line else "", [])
