"""What is said while jobs run: a bar and lines on a terminal, plain lines elsewhere."""

import io
import json
import logging
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from harness.schedule import progress
from harness.schedule.progress import Progress, begun, clips_to_render, stands
from harness.schedule.task import Status
from tests.helpers.toy_jobs import toy_job


@pytest.fixture
def clock(monkeypatch):
    made = SimpleNamespace(now=100.0)
    made.monotonic = lambda: made.now
    monkeypatch.setattr(progress, "time", made)
    return made


@pytest.fixture
def two(tmp_path):
    jobs = {j.key: j for j in (toy_job("a"), toy_job("b"))}
    (tmp_path / "a").mkdir()
    return jobs, tmp_path / "a"


def heartbeat(folder, **of):
    found = {"phase": "train", "epoch": 2, "max_epochs": 12, "iteration": 3, "loss": 1.23456, "train_top1": 0.456, **of}
    (folder / "progress.json").write_text(json.dumps(found))


def status(jobs, folder, **more):
    a, b = jobs
    return Status(total=2, running={a: folder}, waiting=(b,), **more)


def test_a_running_job_says_epoch_loss_and_training_accuracy(tmp_path):
    heartbeat(tmp_path)
    assert stands(tmp_path, 12.0).text == "epoch 3/12, loss 1.235, training accuracy 45.6 %, 12 s"
    heartbeat(tmp_path, train_top1=None)
    assert stands(tmp_path, 12.0).text == "epoch 3/12, loss 1.235, 12 s"
    heartbeat(tmp_path, phase="test")
    assert stands(tmp_path, 12.0).text == "test, 12 s"
    assert stands(tmp_path / "none", 2.0).text == "starting, 2 s"
    (tmp_path / "progress.json").write_text("{}")
    assert stands(tmp_path, 2.0).text == "starting, 2 s"


def test_a_rendering_says_how_many_clips_are_rendered_and_counts_for_that_share(two, tmp_path):
    trained = next(iter(two[0].values()))
    loader = {"test_dataloader": {"batch_size": 16}}
    job = replace(trained, kind="render", config=loader, data=SimpleNamespace(test_clips=100))
    assert clips_to_render(trained) is None and clips_to_render(job) == (100, 16)
    heartbeat(tmp_path, phase="test", iteration=3, epoch=0, max_epochs=0)
    found = stands(tmp_path, 12.0, clips_to_render(job))
    assert found.text == "rendering, 48 of 100 clips, 12 s" and found.share == 0.48
    heartbeat(tmp_path, phase="test", iteration=7, epoch=0, max_epochs=0)  # the last batch is smaller
    assert stands(tmp_path, 12.0, clips_to_render(job)).text == "rendering, 100 of 100 clips, 12 s"


def test_jobs_that_train_in_one_process_stand_where_it_stands(two, clock, caplog, monkeypatch):
    jobs, folder = two
    a, b = jobs
    heartbeat(folder, epoch=6)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    both = Status(total=2, running={a: folder, b: folder.with_name("b")}, beside={b: a})
    shown = Progress(jobs, 2, {})
    for key, detail in ((a, ""), (b, "beside a")):
        shown.report("started", jobs[key], detail)
    clock.now += 30
    with caplog.at_level(logging.INFO):
        shown.tick(both)
    assert [r.getMessage() for r in caplog.records] == [
        "progress  0 of 2 jobs, about 30 s left",
        f"running   {jobs[a].name}  epoch 7/12, loss 1.235, training accuracy 45.6 %, 30 s",
        f"running   {jobs[b].name}  beside {jobs[a].name}, 30 s",
    ]
    assert begun(both) == [a, b]
    (folder / "progress.json").unlink()
    assert begun(both) == []


def test_piped_output_says_it_in_lines_every_30_s(two, clock, caplog, monkeypatch):
    jobs, folder = two
    heartbeat(folder)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    a, b = jobs.values()
    with caplog.at_level(logging.INFO), Progress(jobs, 1, {a.key: 50.0, b.key: 20.0}) as shown:
        shown.report("started", a, "")
        for _ in range(59):  # ticks of a second
            clock.now += 1
            shown.tick(status(jobs, folder))
        said = [r.getMessage() for r in caplog.records]
        assert said[1:] == [
            "progress  0 of 2 jobs, about 40 s left",  # 20 s of the first, which has run for 30, and 20 s of the second
            f"running   {a.name}  epoch 3/12, loss 1.235, training accuracy 45.6 %, 30 s",
        ]
        clock.now += 1
        shown.tick(status(jobs, folder))
        assert len(caplog.records) == 5


def test_epochs_of_an_earlier_attempt_are_no_time_of_this_one(two, clock, monkeypatch):
    """A job that goes on after 6 of 12 epochs, each of which takes 5 s, beside one that has not started."""
    jobs, folder = two
    monkeypatch.setattr("sys.stdout", io.StringIO())
    shown = Progress(jobs, 1, {})
    shown.report("started", next(iter(jobs.values())), "goes on from its checkpoint")
    heartbeat(folder, epoch=6)
    shown.tick(status(jobs, folder))
    clock.now += 15
    heartbeat(folder, epoch=9)
    assert shown.remaining_seconds(status(jobs, folder)) == pytest.approx(15 + 60)
    assert stands(folder, 15.0).text.startswith("epoch 10/12")
    known = Progress(jobs, 1, dict.fromkeys(jobs, 60.0))
    known.began, known.before = shown.began, shown.before
    assert known.remaining_seconds(status(jobs, folder)) == pytest.approx(15 + 60)


def test_a_first_run_has_an_estimate_before_its_first_job_is_over(two, clock):
    jobs, folder = two
    shown = Progress(jobs, 2, {})
    shown.report("started", next(iter(jobs.values())), "")
    clock.now += 10
    assert shown.remaining_seconds(status(jobs, folder)) is None
    heartbeat(folder, epoch=3)  # a quarter of it: 40 s a job; the other has 40 s on the second slot
    assert shown.remaining_seconds(status(jobs, folder)) == pytest.approx(40)


def test_the_last_job_takes_as_long_as_on_one_slot(two, clock):
    jobs, folder = two
    a, b = jobs
    shown = Progress(jobs, 4, {a: 40.0, b: 20.0})
    shown.report("started", jobs[a], "")
    clock.now += 10
    assert shown.remaining_seconds(Status(total=2, done=1, running={a: folder})) == 30
    jobs[b] = replace(jobs[b], parents={"teacher": a})
    assert shown.remaining_seconds(status(jobs, folder)) == 30 + 20, "idle slots help no job that waits"


def test_jobs_that_take_longer_than_before_are_expected_to(two, clock):
    """As short ones do: a record's seconds are without the start of a process."""
    jobs, folder = two
    a, b = jobs
    shown = Progress(jobs, 1, {a: 5.0, b: 3.0})
    shown.report("started", jobs[a], "")
    clock.now += 15
    assert shown.remaining_seconds(Status(total=2, running={a: folder}, waiting=(b,))) == 3
    shown.report("done", jobs[a], "")
    assert shown.remaining_seconds(Status(total=2, done=1, waiting=(b,))) == 3 + 10


def test_a_job_that_has_overrun_takes_what_its_epochs_say(two, clock):
    jobs, folder = two
    a, _ = jobs
    heartbeat(folder, epoch=9)  # three quarters
    shown = Progress(jobs, 1, {a: 20.0})
    shown.report("started", jobs[a], "")
    clock.now += 60
    assert shown.remaining_seconds(Status(total=1, running={a: folder})) == pytest.approx(20)


def test_a_terminal_has_one_bar_for_all_and_a_line_for_each_running_job(two, clock):
    jobs, folder = two
    heartbeat(folder)
    a, b = jobs.values()
    shown = Progress(jobs, 1, {a.key: 50.0, b.key: 20.0})
    shown.report("started", a, "")
    out = io.StringIO()
    Console(file=out, width=140, force_terminal=False).print(shown._table(status(jobs, folder, failed={})))
    lines = [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]
    assert len(lines) == 2
    assert lines[0].startswith("━") and lines[0].endswith("0 of 2 jobs, about 1 min left".replace("1 min", "70 s"))
    assert lines[1].split() == f"running {a.name} epoch 3/12, loss 1.235, training accuracy 45.6 %, 0 s".split()


def test_short_jobs_that_end_first_do_not_stand_for_the_others(two, clock):
    """An encoder of 3 s ends while a training of 40 s has begun, and five more wait."""
    jobs, folder = two
    a, b = jobs
    more = {name: toy_job(name) for name in "cdefg"}
    waiting = tuple(job.key for job in more.values())
    shown = Progress(jobs | {job.key: job for job in more.values()}, 2, {})
    for key in jobs:
        shown.report("started", jobs[key], "")
    clock.now += 3
    shown.report("done", jobs[b], "")
    clock.now += 7
    heartbeat(folder, epoch=0)
    running = Status(total=7, done=1, running={a: folder}, waiting=waiting)
    assert shown.remaining_seconds(running) == pytest.approx(10 * 6), "one of seven in ten seconds"
    heartbeat(folder, epoch=3)
    clock.now += 10  # a quarter of 80 s
    mean = (3 + 80) / 2
    assert shown.remaining_seconds(running) == pytest.approx((5 * mean + mean - 20) / 2, rel=0.2)


def test_what_an_engine_was_given_may_wait_in_its_queue(two, clock):
    """History knows what each job takes, and not how many of them the engine runs at a time."""
    jobs, folder = two
    a, b = jobs
    shown = Progress(jobs, 64, {a: 10.0, b: 10.0}, queued=True)
    shown.report("started", jobs[a], "")
    clock.now += 100
    shown.report("done", jobs[a], "")
    left = Status(total=2, done=1, running={b: folder})
    shown.report("started", jobs[b], "")
    assert shown.remaining_seconds(left) == pytest.approx(100)
    assert shown._running(left)[b].text == "queued or starting, 0 s"
