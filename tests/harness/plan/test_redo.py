"""The command in a record redoes that run: it names all that the run depends on."""

import os
import shlex
import shutil
from pathlib import Path

import pytest

from harness.cli import main
from harness.ledger.lock import RunLock
from harness.ledger.record import RunRecord
from harness.ledger.store import load_records
from harness.plan.redo import redo_command
from harness.plan.workspace import RunChoices, open_workspace
from harness.schedule.run import Finished
from harness.schedule.task import Status
from tests.harness.conftest import CONFIGS


def opened(data_root, tables=None, configs=CONFIGS, quarantine=()):
    return open_workspace(configs, "smoke", data_root, tables, 2, RunChoices(tuple(quarantine)))


def test_what_is_usual_is_not_named(tiny_data):
    assert redo_command(opened(None)) == "python -m harness run --profile smoke --seeds 2 --cell '{job}' --force"
    assert "--data-root DIR" in redo_command(opened(tiny_data))


def test_optional_tables_are_named_since_their_jobs_are_in_no_other_plan(tiny_data):
    ws = opened(tiny_data, "controls")
    words = shlex.split(redo_command(ws).replace("{job}", "x"))
    again = opened(tiny_data, words[words.index("--tables") + 1])
    assert {c.id for c in ws.cells} == {c.id for c in again.cells}
    shuffled = "mtcd_i3d-r50_mgr-dark-rgb+shuffle-same-class"
    assert shuffled in {c.id for c in again.cells} and shuffled not in {c.id for c in opened(tiny_data).cells}


def test_processes_quarantine_and_configs_of_ones_own_are_named(small_configs, tiny_data, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("")
    said = redo_command(opened(tiny_data, None, small_configs, (f"mgr_dark={bad}",)), gpus_per_job=2)
    for words in ("--configs DIR", "--quarantine mgr_dark=FILE", "--gpus-per-job 2"):
        assert words in said
    assert str(tmp_path) not in said  # a record says nothing of where things lie on this machine


def test_force_needs_a_name_and_changes_nothing_without(tmp_path, capsys):
    for command in ("run", "run-all"):
        with pytest.raises(SystemExit) as ended:
            main([command, "--profile", "smoke", "--force", "--work-dir", str(tmp_path / "work")])
        assert ended.value.code == 2 and "--force: name what is to be run anew with --cell" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_run_makes_the_synthetic_data_of_a_fresh_clone_first(tmp_path, monkeypatch, tiny_data):
    monkeypatch.chdir(tmp_path)
    made = []

    def make(root, preset, datasets):
        made.append((root, preset))
        shutil.copytree(tiny_data, root)

    def run(ws, executor, options, force, watch):
        made.append((len(ws.plan.keys) > 0, force))
        return Finished(Status(), {}, unplanned=False)

    monkeypatch.setattr("harness.cli.common.make_synthetic", make)
    monkeypatch.setattr("harness.schedule.run.run_workspace", run)
    monkeypatch.setattr("harness.plan.planner.check_classes", lambda config: "")  # more of them than the tiny data have
    command = redo_command(opened(None)).replace("{job}", "i3d_r50_mgr-dark-rgb-s0")
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command)[3:])
    assert ended.value.code == 0
    assert made == [(Path("data/synthetic-smoke"), "smoke"), (True, True)]


def test_a_finished_run_is_run_anew_kept_and_compared(small_configs, tiny_data, tmp_path, capsys):
    options = [
        "--configs",
        small_configs,
        "--data-root",
        tiny_data,
        "--work-dir",
        tmp_path / "work",
        "--profile",
        "smoke",
    ]
    options = [*map(str, options), "--jobs", "1"]

    def run(*more):
        with pytest.raises(SystemExit) as ended:
            main(["run", *options, *more])
        return ended.value.code, capsys.readouterr().out

    assert run()[0] == 0
    before, _ = load_records(tmp_path / "work")
    key, (folder, old) = sorted(before.items())[0]
    name = folder.name.rsplit("-", 1)[0]
    code, said = run("--cell", name, "--force")
    assert code == 0 and "1 job: 0 done before, 1 run, 0 failed" in said
    assert "predictions equal to the last digit to those before" in said
    after, rejected = load_records(tmp_path / "work")
    assert after.keys() == before.keys() and not rejected
    new = after[key][1]
    assert new.finished >= old.finished and new.seal != old.seal and new.predictions_sha256 == old.predictions_sha256
    others = [k for k in before if k != key]
    assert [after[k][1] for k in others] == [before[k][1] for k in others]
    kept = tmp_path / "work" / "replaced" / f"{folder.name}.1"
    assert RunRecord.model_validate_json((kept / "run.json").read_text()) == old and (kept / "checkpoint.pth").is_file()
    lock = RunLock(after[key][0])
    assert lock.acquire()
    code, said = run("--cell", name, "--force")
    assert code == 1 and load_records(tmp_path / "work")[0][key][1] == new  # somebody holds it: nothing is moved
    lock.release()


def test_a_run_stands_again_where_no_new_one_is_done(small_configs, tiny_data, tmp_path, monkeypatch, capsys):
    options = ["--configs", small_configs, "--data-root", tiny_data, "--work-dir", tmp_path, "--profile", "smoke"]
    options = ["run", *map(str, options), "--jobs", "1"]
    with pytest.raises(SystemExit):
        main(options)
    before, _ = load_records(tmp_path)
    key, (folder, _) = sorted(before.items())[0]
    files = sorted(os.listdir(folder))
    again = [*options, "--cell", folder.name.rsplit("-", 1)[0], "--force"]

    def stopped(*_):
        (folder / "log.txt").write_text("half a run")
        return Status()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.schedule.run.execute", stopped)
    with pytest.raises(SystemExit):
        main(again)
    assert "no new run is done; the one from before stands again" in capsys.readouterr().out
    assert load_records(tmp_path) == (before, []) and sorted({*os.listdir(folder), "lock"}) == sorted({*files, "lock"})
    assert (tmp_path / "replaced" / f"{folder.name}.1.unfinished" / "log.txt").read_text() == "half a run"

    monkeypatch.setattr("harness.schedule.run.execute", interrupted)
    with pytest.raises(SystemExit):
        main(again)
    assert load_records(tmp_path) == (before, [])

    def submitted(*_):
        (folder / ".submitted.json").write_text("{}")
        return Status()

    monkeypatch.setattr("harness.schedule.run.execute", submitted)
    with pytest.raises(SystemExit):
        main(again)
    assert "the new run is not done yet; the one from before is in" in capsys.readouterr().out
    assert load_records(tmp_path)[0].keys() == before.keys() - {key}
