"""What is said of a job that failed."""

import pytest

from harness.ledger.record import Failure, RunRecord
from harness.ledger.run_dir import PROGRESS
from harness.schedule.outcome import failure_line
from tests.helpers.toy_jobs import toy_job

COMMAND = "python -m harness run --profile smoke --cell a --force"


def failed(kind="crash", of="train", log=()):
    job = toy_job("a")
    failure = Failure(kind=kind, message="RuntimeError: shapes", log_tail=["Traceback", *log])
    return RunRecord(
        key=job.key, status="failed", kind=of, cell=job.cell, identity=job.identity, data=job.data, failure=failure
    )


def test_a_crash_before_the_first_step_is_over_names_the_command_that_tries_the_network(tmp_path):
    line = "crash: RuntimeError: shapes; `python -m harness models check a{}` says more"
    assert failure_line(failed(), tmp_path, COMMAND) == line.format("")
    assert failure_line(failed(), tmp_path, f"{COMMAND} --configs DIR") == line.format(" --configs DIR")
    (tmp_path / PROGRESS).write_text("{}")
    assert failure_line(failed(), tmp_path, COMMAND) == "crash: RuntimeError: shapes"


@pytest.mark.parametrize(
    "how", [{"kind": "out_of_memory"}, {"of": "render"}, {"log": ['  File "code_check.py", line 34, in check_code']}]
)
def test_other_failures_do_not(tmp_path, how):
    assert failure_line(failed(**how), tmp_path, COMMAND).endswith(": RuntimeError: shapes")
