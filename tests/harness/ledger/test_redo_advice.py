"""What is advised for a damaged run can be copied into a shell, and does no more than it says."""

import json
from pathlib import Path

import pytest

from harness.ledger.redo_advice import redo_advice

COMMAND = "python -m harness run --profile smoke --cell 'mtcd_i3d+alpha=0.5,beta=0-s0' --force"


@pytest.mark.parametrize("work_dir", ["work_dirs", "my runs"])
def test_the_command_of_the_record_or_else_of_the_job_with_the_work_dir(work_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path(work_dir) / "runs" / "a-s0-0123456789ab"
    folder.mkdir(parents=True)
    where = "" if work_dir == "work_dirs" else " --work-dir 'my runs'"
    (folder / "run.json").write_text(json.dumps({"command": COMMAND}))
    assert redo_advice(folder) == f"`{COMMAND}{where}` makes it anew"
    (folder / "run.json").write_text("{")
    (folder / "job.json").write_text(json.dumps({"command": COMMAND + "d"}))
    assert redo_advice(folder) == f"`{COMMAND}d{where}` makes it anew"


@pytest.mark.parametrize(
    "command", ["python -m harness run; rm -rf x", "python -m harness run `x`", "rm x", "python -m harness $(x)", "", 7]
)
def test_a_command_that_does_something_else_is_not_advised(command, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"command": command}))
    assert redo_advice(tmp_path) == "`run` with the options that it was made with makes it anew"
