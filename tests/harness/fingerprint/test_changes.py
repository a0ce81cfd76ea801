"""What changes between a plan and its run, or between two harnesses: said in one line, and nothing is lost."""

import errno
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from harness.bench.made_up import finish
from harness.cli import main
from harness.fingerprint.code import forget
from harness.fingerprint.source import index_package
from harness.ledger import files, store
from harness.plan.workspace import open_workspace
from harness.schedule.dispatch import make_spec
from harness.schedule.options import Options
from harness.schedule.task import Task
from harness.worker.code_check import check_code


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in args])
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


@pytest.fixture
def suite(small_configs, tiny_data, tmp_path):
    return [
        "--configs",
        small_configs,
        "--data-root",
        tiny_data,
        "--work-dir",
        tmp_path / "wörk 1",
        "--profile",
        "smoke",
    ]


@pytest.fixture
def done(small_configs, tiny_data, tmp_path):
    """A finished ledger of two runs; the workspace that it belongs to."""
    ws = open_workspace(small_configs, "smoke", tiny_data, None, None)
    (tmp_path / "wörk 1").mkdir()
    finish(ws.needed().values(), tmp_path / "wörk 1")
    return ws


def snapshot(work):
    return {p.relative_to(work): p.read_bytes() for p in work.rglob("*") if p.is_file()}


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_record_of_a_newer_harness_stays_as_it_is_and_stops_no_other_job(capsys, suite, done, tmp_path):
    work = tmp_path / "wörk 1"
    path = next(work.glob("runs/*/run.json"))
    edit_json(path, schema_version=99, new_field=1)
    before = path.read_bytes()
    for command in ("run", "run-all"):
        extra = ["--site", tmp_path / "site"] if command == "run-all" else []
        code, out, err = run(capsys, command, *suite, "--jobs", "1", *extra)
        assert code == 1 and err.count("written by a newer harness (schema 99") == 1 and "Traceback" not in err
        assert "2 jobs: 1 done before, 0 run, 1 failed" in out
    assert path.read_bytes() == before and (tmp_path / "site" / "index.html").is_file()
    code, out, _ = run(capsys, "status", *suite)
    assert code == 0 and "rejected" in out and "update the harness" in out and "1 done" in out


@pytest.mark.parametrize("name", ["run.json", "predictions.parquet", "checkpoint.pth"])
def test_a_run_that_cannot_be_read_now_is_not_run_again(capsys, suite, done, tmp_path, monkeypatch, name):
    """As on a disk or a server that does not answer for a while: what was computed is not written over."""
    work = tmp_path / "wörk 1"
    path = next(work.glob(f"runs/*/{name}"))
    before = snapshot(work)
    real = files.open_file, store.read_file

    def no_answer(read):
        def reading(place, *more):
            if Path(place) == path:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(place))
            return read(place, *more)

        return reading

    monkeypatch.setattr(files, "open_file", no_answer(real[0]))
    monkeypatch.setattr(store, "read_file", no_answer(real[1]))
    code, out, err = run(capsys, "run", *suite, "--jobs", "1")
    told = f"{name}: cannot be read (Input/output error); its run is left as it is"
    assert code == 1 and err.count(told) == 1 and "Traceback" not in err
    assert "2 jobs: 1 done before, 0 run, 1 failed" in out
    assert {p: c for p, c in snapshot(work).items() if p in before and p.name != "plan.json"} == {
        p: c for p, c in before.items() if p.name != "plan.json"
    }
    code, out, _ = run(capsys, "verify", "--work-dir", work)
    assert code == 1 and told in out and "makes it anew" not in out
    monkeypatch.undo()
    code, out, _ = run(capsys, "run", *suite, "--jobs", "1")
    assert code == 0 and "2 jobs: 2 done before, 0 run" in out


def test_the_plan_of_a_newer_harness_is_not_replaced(capsys, suite, done, tmp_path):
    work = tmp_path / "wörk 1"
    (work / "plan.json").write_text('{"schema_version": 99, "cells": []}')
    before = snapshot(work)
    code, _, err = run(capsys, "run", *suite, "--jobs", "1")
    assert code == 1 and err.count("\n") == 1 and "plan.json: written by a newer harness" in err
    code, _, err = run(capsys, "report", "--work-dir", work, "--site", tmp_path / "site")
    assert code == 0  # the runs are shown without it, which is said
    assert any("written by a newer harness" in page.read_text() for page in (tmp_path / "site").glob("*.html"))
    assert snapshot(work).items() >= before.items()


@pytest.mark.parametrize("content", ["", "{ half", "[]"])
def test_a_damaged_plan_is_written_anew(capsys, suite, done, tmp_path, content):
    (tmp_path / "wörk 1" / "plan.json").write_text(content)
    code, out, err = run(capsys, "run", *suite, "--jobs", "1")
    assert code == 0 and "2 jobs: 2 done before, 0 run" in out and err == ""
    assert json.loads((tmp_path / "wörk 1" / "plan.json").read_text())["cells"]


def test_a_config_that_changed_makes_its_run_stale_says_what_changed_and_keeps_it(
    capsys, suite, done, small_configs, tmp_path
):
    before = snapshot(tmp_path / "wörk 1" / "runs")
    path = small_configs / "i3d" / "i3d_r50_mgr-dark-rgb.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nmodel = dict(cls_head=dict(dropout_ratio=0.9))\n")
    code, out, _ = run(capsys, "status", *suite, "--why", "i3d_r50_mgr-dark-rgb-s0")
    assert code == 0 and "stale" in out and "config model.cls_head.dropout_ratio: 0.5 -> 0.9" in out
    code, out, _ = run(capsys, "plan", *suite)
    assert "1 done, 1 missing" in out
    assert snapshot(tmp_path / "wörk 1" / "runs") == before


def test_stale_runs_are_adopted_together_after_they_were_shown(capsys, suite, done, small_configs, tmp_path):
    before = snapshot(tmp_path / "wörk 1" / "runs")
    path = small_configs / "i3d" / "i3d_r50_mgr-dark-rgb.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nmodel = dict(cls_head=dict(dropout_ratio=0.9))\n")
    adopt = ("adopt", *suite, "--all-stale", "--reason", "it changes nothing")
    code, out, _ = run(capsys, *adopt)
    assert code == 1 and "refused i3d_r50_mgr-dark-rgb-s0: config differs (config model.cls_head.dropout_ratio" in out
    code, out, _ = run(capsys, "adopt", *suite, "--all-stale", "--component", "config", "--dry-run")  # no reason yet
    assert code == 0 and "1 stale: 1 would be adopted; nothing was changed" in out
    code, _, err = run(capsys, "adopt", *suite, "--all-stale", "--component", "config")
    assert code == 2 and "--reason" in err
    assert snapshot(tmp_path / "wörk 1" / "runs") == before
    code, out, _ = run(capsys, *adopt, "--component", "config")
    assert code == 0 and "1 stale: 1 adopted, 0 refused" in out
    wanted = json.loads(run(capsys, "plan", *suite, "--json")[1])["jobs"]
    kept = json.loads((tmp_path / "wörk 1" / "plan.json").read_text(encoding="utf-8"))["cells"]
    assert {c["key"] for c in kept} == {j["key"] for j in wanted}, "pages go by the plan, which names the adopted run"
    assert "2 done" in run(capsys, "plan", *suite)[1]
    code, _, err = run(capsys, "adopt", *suite, "--reason", "neither a job nor all")
    assert code == 2 and "name a job or give --all-stale" in err


def test_a_job_runs_the_config_that_was_planned_whatever_happens_to_the_file(done, small_configs, tmp_path):
    job = next(iter(done.needed().values()))
    (small_configs / "i3d" / f"{job.cell.model}.py").write_text("not even a config (")

    spec = make_spec([Task(job, tmp_path)], Options(tmp_path))
    assert spec.config["model"] == job.config["model"] and spec.key == job.key


def test_code_that_changed_after_planning_is_refused(done):
    job = next(iter(done.needed().values()))
    check_code([job.identity])
    module = sorted(job.identity.code)[0]
    changed = job.identity.model_copy(update={"code": {**job.identity.code, module: "0" * 64}})
    with pytest.raises(ValueError, match=f"{module} changed between planning and running; run the same command"):
        check_code([job.identity, changed])


def test_a_package_that_is_gone_since_planning_is_refused(done, tmp_path, monkeypatch):
    (tmp_path / "lib" / "vanishing").mkdir(parents=True)
    (tmp_path / "lib" / "vanishing" / "__init__.py").write_text("class Net:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    planned = index_package("vanishing")["vanishing"].sha256
    shutil.rmtree(tmp_path / "lib" / "vanishing")
    forget()
    sys.path_importer_cache.clear()
    identity = next(iter(done.needed().values())).identity.model_copy(update={"code": {"vanishing": planned}})
    with pytest.raises(ValueError, match="'vanishing' is not installed"):
        check_code([identity])
    forget()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--jobs", "0"], ["'--jobs': 0"]),
        (["--backend", "cloud"], ["'--backend': 'cloud' is not one of 'local', 'ray', 'slurm'"]),
        (["--cell", "nonesuch"], ["--cell: unknown job 'nonesuch'", "`plan` lists them"]),
    ],
)
def test_bad_options_of_a_run_are_one_line_and_leave_the_runs_alone(capsys, suite, done, tmp_path, options, words):
    before = snapshot(tmp_path / "wörk 1" / "runs")
    code, _, err = run(capsys, "run", *suite, *options)
    assert code == 2 and err.count("\n") == 1 and all(w in err for w in words)
    assert snapshot(tmp_path / "wörk 1" / "runs") == before
