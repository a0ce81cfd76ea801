"""The command in a record redoes that run: it names all that the run depends on."""

import os
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.cli import main
from harness.ledger.lock import RunLock
from harness.ledger.record import RunRecord
from harness.ledger.store import load_records
from harness.plan import redo
from harness.plan.redo import redo_command
from harness.plan.run_state import folder_of, job_state
from harness.plan.status import ledger_status
from harness.plan.workspace import RunChoices, open_workspace
from harness.schedule.run import Finished, run_workspace
from harness.schedule.task import Status
from tests.harness.conftest import CONFIGS
from tests.helpers.fake_site import write


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
        return Finished(Status(), {}, unplanned=0)

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


@pytest.fixture
def one_run(tmp_path):
    """Work dir, job and folder of a made-up run that is done."""
    made = write(tmp_path, seeds=1, tables=["table2"])
    records, _ = load_records(made.work_dir)
    key, (folder, record) = next(item for item in sorted(records.items()) if item[1][1].metrics is not None)
    (folder / "log.txt").write_text("as it was")
    return made.work_dir, SimpleNamespace(name=folder.name[:-13], key=key), folder, record


def anew(work_dir, job, folder):
    """What a harness does whose new run does not get done."""
    old = redo.set_aside(job, work_dir)
    (folder / "log.txt").write_text("half a run")
    return redo.put_back(old, job, work_dir)


def in_a_process_that_dies(step, work_dir, job, folder):
    """Whether it died at its rename number ``step``."""
    child = os.fork()
    if not child:
        left, rename = [step], os.rename

        def counted(*args):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            rename(*args)

        os.rename = counted
        try:
            anew(work_dir, job, folder)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_a_run_stands_again_wherever_the_harness_was_killed(one_run, tmp_path):
    work_dir, job, folder, record = one_run
    shutil.copytree(work_dir, tmp_path / "before")
    step = 0
    while in_a_process_that_dies(step, work_dir, job, folder):
        assert redo.waiting({job.key: job}, work_dir) == {}, step
        records, rejected = load_records(work_dir)
        assert records[job.key][1] == record and not rejected, step
        assert (folder / "log.txt").read_text() == "as it was", step
        left = os.listdir(work_dir / "replaced") if (work_dir / "replaced").exists() else []
        assert not [n for n in left if n.endswith((".waiting", ".moving"))], step
        shutil.rmtree(work_dir)
        shutil.copytree(tmp_path / "before", work_dir)
        step += 1
    assert step > 10 and load_records(work_dir)[0][job.key][1] == record


def test_nobody_puts_back_what_a_living_harness_set_aside(one_run):
    work_dir, job, folder, record = one_run
    old = redo.set_aside(job, work_dir)
    child = os.fork()
    if not child:
        try:
            found = redo.waiting({job.key: job}, work_dir)
        finally:
            os._exit(int(bool(found)) + 2 * (folder / "run.json").exists())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert redo.put_back(old, job, work_dir) and load_records(work_dir)[0][job.key][1] == record


def test_status_says_where_a_run_is_that_waits(one_run):
    work_dir, job, _, record = one_run
    old = redo.set_aside(job, work_dir)
    planned = SimpleNamespace(**vars(job), cell=record.cell)
    ws = SimpleNamespace(needed=lambda: {job.key: planned})
    (found,) = ledger_status(ws, work_dir).jobs
    assert found.state == "missing" and f"set aside to be run anew, {old.folder}; `run` puts it back" in found.detail
    redo.put_back(old, job, work_dir)
    assert ledger_status(ws, work_dir).jobs[0].state == "done"


def test_the_newest_of_several_that_wait_stands_again(one_run):
    work_dir, job, folder, record = one_run
    first = redo.set_aside(job, work_dir)
    shutil.copytree(first.folder, folder, dirs_exist_ok=True)  # a new run, which is done
    (folder / "log.txt").write_text("the new one")
    second = redo.set_aside(job, work_dir)
    first.lock.release(), second.lock.release()
    assert list(redo.waiting({job.key: job}, work_dir)) == [job.key]
    assert (folder / "log.txt").read_text() == "the new one"
    assert redo.compared(redo.Replaced(record, first.folder, first.lock), job, work_dir).startswith("top-1")
    assert first.kept.is_dir() and not first.folder.exists()


def test_a_run_stands_again_where_another_cannot_be_set_aside(one_run, monkeypatch):
    """And where what comes before the jobs is interrupted."""
    work_dir, job, folder, record = one_run
    other = SimpleNamespace(name="other", key="0" * 64)

    def held(asked, where, others):
        if asked is other:
            raise ValueError("other is being run by another harness")
        return set_aside(asked, where)

    set_aside = redo.set_aside
    monkeypatch.setattr(redo, "set_aside", held)
    monkeypatch.setattr("harness.schedule.run.names", lambda plan: {"one": job.key, "other": other.key})
    monkeypatch.setattr("harness.schedule.run.jobs_to_run", lambda ws: {job.key: job, other.key: other})
    ws = SimpleNamespace(plan=SimpleNamespace(jobs={}), chosen=("one", "other"))
    with pytest.raises(ValueError, match="another harness"):
        run_workspace(ws, None, SimpleNamespace(work_dir=work_dir), force=True)
    assert load_records(work_dir)[0][job.key][1] == record

    def interrupted(*_):
        raise KeyboardInterrupt

    ws.chosen = ("one",)
    monkeypatch.setattr("harness.schedule.run.history", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_workspace(ws, None, SimpleNamespace(work_dir=work_dir, clip_store=""), force=True)
    assert load_records(work_dir)[0][job.key][1] == record


def test_what_a_running_job_reads_is_not_set_aside(one_run):
    work_dir, job, folder, record = one_run
    child = SimpleNamespace(name="student", key="1" * 64, parents={"teacher": job.key})
    lock = RunLock(work_dir / "runs" / f"student-{'1' * 12}")
    assert lock.acquire()
    with pytest.raises(ValueError, match=f"student, which reads {job.name}, is being run by process"):
        redo.set_aside(job, work_dir, [child])
    assert load_records(work_dir)[0][job.key][1] == record
    lock.release()
    assert redo.set_aside(job, work_dir, [child]) is not None


def test_plan_and_status_call_a_job_running_that_somebody_runs(one_run):
    work_dir, job, _, record = one_run
    assert job_state(job, work_dir) == "done"
    redo.set_aside(job, work_dir)
    folder = folder_of(job, work_dir)
    assert job_state(job, work_dir) == "missing"
    lock = RunLock(folder)
    assert lock.acquire()
    planned = SimpleNamespace(**vars(job), cell=record.cell)
    (found,) = ledger_status(SimpleNamespace(needed=lambda: {job.key: planned}), work_dir).jobs
    assert found.state == "running" and job_state(job, work_dir) == "running"


def test_status_names_the_profile_that_the_runs_are_of(one_run):
    work_dir, *_, record = one_run
    found = ledger_status(SimpleNamespace(needed=dict), work_dir)
    assert found.elsewhere(record.cell.profile) == ""
    profile, n = record.cell.profile, len(load_records(work_dir)[0])
    assert (
        found.elsewhere("paper") == f"the ledger holds {n} runs at {profile}, none at paper: give --profile {profile}"
    )


@pytest.mark.parametrize(("unplanned", "code"), [(0, 0), (2, 1)])
def test_the_last_line_says_of_code_1_that_cells_could_not_be_planned(unplanned, code):
    done = Finished(Status(), {}, unplanned=unplanned)
    assert done.code == code and ("; 2 cells cannot be planned" in done.summary) == bool(unplanned)
