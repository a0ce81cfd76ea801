"""What is advised for a damaged run can be copied into a shell, and does no more than it says."""

import json
import shlex
from pathlib import Path

import pytest

from harness.ledger.redo_advice import redo_advice
from harness.schedule.options import Options

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
    (folder / "job.json").write_text(json.dumps({"command": COMMAND + " --compile"}))
    assert redo_advice(folder) == f"`{COMMAND} --compile{where}` makes it anew"


@pytest.mark.parametrize("name", ["", "run.json", "job.json", "predictions.parquet", "checkpoint.pth"])
def test_what_this_user_may_not_read_is_not_made_anew(name, tmp_path, monkeypatch):
    folder = tmp_path / "runs" / "a-s0-0123456789ab"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"command": COMMAND}))
    if name:
        (folder / name).touch()
    hidden = folder / name
    monkeypatch.setattr("os.access", lambda path, _: Path(path) != hidden)  # root may read everything
    assert redo_advice(folder) == f"this user may not read {hidden}: change its permissions first"


RUN = "python -m harness run"


@pytest.mark.parametrize(
    "command",
    [
        *(f"{RUN}; rm -rf x", f"{RUN} --cell `x`", "rm x", "python -m harness $(x)", "", 7),
        *("python -m harness publish --push origin", f"{RUN} --configs work_dirs --cell 'a'", f"{RUN} --data-root=x"),
        *(f"{RUN} '--configs' x", f"{RUN} --ray address=10.0.0.1:6379", f"{RUN} --cell 'a' --work-dir x"),
        *(f"{RUN} --cell 'a'$(x)'b'", f"{RUN} --cell 'a\nx'", f"{RUN} --cell '\u202ea'", f"{RUN} --cell '\x1b[2J'"),
    ],
)
def test_a_command_that_does_something_else_is_not_advised(command, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"command": command}))
    assert redo_advice(tmp_path) == "`run` with the options that it was made with makes it anew"


@pytest.mark.parametrize("name", ["Böb's net (v2)-s0", 'a $(x) `y` ! \\ "z"-s0', "'", "a'{job}'b"])
def test_a_job_with_an_odd_name_is_one_word_of_its_command(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("work_dirs") / "runs" / "a"
    folder.mkdir(parents=True)
    command = Options(Path(), command=f"{RUN} --seeds 1 --cell '{{job}}' --force").command_of(name)
    assert shlex.split(command)[-3:] == ["--cell", name, "--force"]
    (folder / "job.json").write_text(json.dumps({"command": command}))
    assert redo_advice(folder) == f"`{command}` makes it anew"


@pytest.mark.parametrize(
    "command",
    [
        f"{RUN} --profile paper --seeds 3 --data-root DIR --configs DIR --quarantine mgr_dark=FILE --init scratch",
        f"{RUN} --gpus-per-job 2 --precision bf16 --compile --tables table2,figure6 --cell 'a+b=0.5-s0' --force",
        "python -m harness models rates i3d gpm --rates 5e-4,1e-3 --profile demo --seeds 2",
        "python -m harness models pretrain c3d --profile demo --epochs 7 --rate 0.001",
    ],
)
def test_all_that_the_harness_writes_is_advised(command, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"command": command}))
    assert redo_advice(tmp_path).startswith(f"`{command} --work-dir ")
