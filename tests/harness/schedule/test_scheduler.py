"""Execution: order, failures, retries, blocking, sharing.

The executor is a fake one that runs a function in this process.
"""

import dataclasses
import json
import os
import signal

import pytest

from harness.errors import QueueFull
from harness.executors.base import Resources
from harness.executors.checked import ExecutorFault
from harness.ledger.judge import sha256_of_rendered
from harness.ledger.lock import RunLock
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import LOG, RESUME, SUBMITTED
from harness.ledger.store import load_record, write_record
from harness.ledger.submission import Submission, recall, remember
from harness.plan.run_state import folder_of, look_up, output_of
from harness.schedule import scheduler
from harness.schedule.options import Options
from harness.schedule.scheduler import FULL_SECONDS, Scheduler, execute
from harness.schedule.task import Task
from harness.system.process import start_time
from tests.helpers.toy_jobs import FakeExecutor, fail, finish, run, toy_job, weights


def test_parents_come_first_and_their_output_is_filled_in(tmp_path):
    teacher = toy_job("teacher")
    student = toy_job("student", {"teacher": teacher})
    seen = {}

    def behave(spec, folder):
        seen[spec.name] = spec.config["model"]["teacher"]["checkpoint"]
        return finish(spec, folder)

    state, order = run([student, teacher], behave, tmp_path)
    assert order == ["teacher", "student"] and state.done == 2
    assert seen["student"] == str(output_of(teacher, tmp_path))


def test_notes_of_the_plan_go_with_the_job(tmp_path):
    job = dataclasses.replace(toy_job("one"), notes=("the profile overrides what it says",))
    seen = []
    run([job], lambda spec, folder: seen.append(spec.notes) or finish(spec, folder), tmp_path)
    assert seen == [["the profile overrides what it says"]]


def test_a_second_run_does_nothing(tmp_path):
    jobs = [toy_job("a"), toy_job("b")]
    run(jobs, finish, tmp_path)
    state, order = run(jobs, finish, tmp_path)
    assert order == [] and state.cached == 2


def test_one_failure_blocks_its_children_alone(tmp_path):
    bad = toy_job("bad")
    child, grandchild, other = toy_job("child", {"t": bad}), None, toy_job("other")
    grandchild = toy_job("grandchild", {"t": child})
    state, order = run(
        [bad, child, grandchild, other],
        lambda s, f: fail(s, f, "data_error") if s.name == "bad" else finish(s, f),
        tmp_path,
    )
    assert order == ["bad", "other"]
    assert set(state.failed) == {bad.key} and set(state.blocked) == {child.key, grandchild.key} and state.done == 1


@pytest.mark.parametrize(
    ("kind", "attempts"),
    [
        ("killed", 2),
        ("crash", 1),
        ("out_of_memory", 4),  # 8, 4, 2 and 1 clips at a time
        ("nan_loss", 1),
        ("data_error", 1),
        ("time_limit", 1),
    ],
)
def test_retries_are_bounded_and_counted_by_kind(tmp_path, kind, attempts):
    job = toy_job("a")
    state, order = run([job], lambda s, f: fail(s, f, kind), tmp_path, retries=1)
    assert len(order) == attempts and job.key in state.failed
    assert load_record(folder_of(job, tmp_path)).attempts == attempts


def test_out_of_memory_halves_the_micro_batch_and_says_so(tmp_path):
    job, seen = toy_job("a"), []

    def behave(spec, folder):
        seen.append((spec.accumulate, spec.notes))
        return fail(spec, folder, "out_of_memory") if spec.accumulate < 4 else finish(spec, folder, notes=spec.notes)

    state, _ = run([job], behave, tmp_path)
    assert [s[0] for s in seen] == [1, 2, 4] and state.done == 1
    assert "divided by 4" in load_record(folder_of(job, tmp_path)).notes[0]


@pytest.mark.parametrize(
    ("loader", "kind", "processes"),
    [
        ({"sampler": {"type": "DefaultSampler"}}, "train", 2),
        ({"sampler": {"type": "PKSampler"}}, "train", 1),  # draws whole batches, which cannot be dealt out
        ({"sampler": {"type": "DefaultSampler"}}, "render", 1),
    ],
)
def test_several_processes_train_what_can_be_shared(tmp_path, loader, kind, processes):
    job, seen = toy_job("a"), []
    job.config["train_dataloader"].update(loader)
    job = dataclasses.replace(job, kind=kind)
    run([job], lambda s, f: seen.append(s) or fail(s, f), tmp_path, processes=2)
    assert [s.processes for s in seen] == [processes]
    assert bool(seen[0].notes) == (kind == "train")


def rendering(name, parents=None):
    return dataclasses.replace(toy_job(name, parents), kind="render", classifies=False, renders=True)


def slots_of(jobs, tmp_path, slots=3):
    """Slots that each job was given, by name, where all end at once."""
    executor = FakeExecutor(lambda s, f: finish(s, f, checkpoint_sha256=weights(f)), slots)
    execute({j.key: j for j in jobs}, executor, Options(work_dir=tmp_path), lambda *_: None)
    return dict(zip(executor.order, (asked.slots for asked in executor.asked), strict=True))


def test_a_rendering_has_the_slots_that_no_other_job_is_ready_for(tmp_path):
    first = rendering("first")
    assert slots_of([first, toy_job("child", {"t": first})], tmp_path / "a") == {"first": 3, "child": 1}
    assert slots_of([first, toy_job("ready")], tmp_path / "b") == {"first": 2, "ready": 1}
    assert slots_of([toy_job("running"), first], tmp_path / "c") == {"running": 1, "first": 2}
    assert slots_of([first, *map(toy_job, "abcd")], tmp_path / "d")["first"] == 1  # more than there are slots
    assert slots_of([first, rendering("second")], tmp_path / "e") == {"first": 2, "second": 2}


def test_what_an_earlier_harness_left_running_keeps_its_slot_beside_a_rendering(tmp_path):
    theirs, first = toy_job("theirs"), rendering("first")
    folder = folder_of(theirs, tmp_path)
    folder.mkdir(parents=True)
    remember(folder, Submission("fake", "job 7"))
    executor = FakeExecutor(lambda s, f: finish(s, f, checkpoint_sha256=weights(f)), slots=3)
    executor.attach = lambda job_id: job_id if job_id == "job 7" and not executor.order else None
    status = execute({j.key: j for j in (theirs, first)}, executor, Options(work_dir=tmp_path), lambda *_: None)
    assert status.done == 2 and executor.order == ["first", "theirs"]
    assert [asked.slots for asked in executor.asked] == [2, 1]


def test_a_training_or_a_test_of_scores_has_one_slot(tmp_path):
    fusion = dataclasses.replace(toy_job("fusion"), kind="render")
    trained = dataclasses.replace(toy_job("trained"), renders=True)
    for job in (fusion, trained):
        assert slots_of([job], tmp_path) == {job.name: 1}


def test_a_failed_run_is_tried_again_by_the_next_invocation(tmp_path):
    job = toy_job("a")
    run([job], lambda s, f: fail(s, f, "nan_loss"), tmp_path)
    state, order = run([job], finish, tmp_path)
    assert order == ["a"] and state.done == 1
    assert load_record(folder_of(job, tmp_path)).attempts == 2


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (-signal.SIGKILL, "killed", "SIGKILL"),
        (-signal.SIGSEGV, "killed", "SIGSEGV"),
        (-40, "killed", "killed by signal 40"),  # one that has no name
        (1, "crash", "exit code 1"),
    ],
)
def test_a_process_that_leaves_no_record_gets_one(tmp_path, code, kind, text):
    job = toy_job("a")
    run([job], lambda s, f: code, tmp_path, retries=0)
    failure = load_record(folder_of(job, tmp_path)).failure
    assert failure.kind == kind and text in failure.message


def test_a_crash_without_a_record_says_the_last_line_of_the_log(tmp_path):
    job = toy_job("a")
    folder = folder_of(job, tmp_path)
    run([job], lambda s, f: (folder / LOG).write_text("Traceback\nImportError: no cv2\n\n") and 1, tmp_path, retries=0)
    assert load_record(folder).failure.message == "ended with exit code 1 and no record: ImportError: no cv2"


def test_a_corrupt_record_is_moved_aside_and_the_job_run_again(tmp_path):
    job = toy_job("a")
    run([job], finish, tmp_path)
    folder = folder_of(job, tmp_path)
    (folder / "run.json").write_text("{")
    state, order = run([job], finish, tmp_path)
    assert order == ["a"] and state.done == 1
    assert (folder / "run.json.rejected").read_text() == "{" and "corrupt" in (
        folder / "run.json.rejected.reason"
    ).read_text()


def test_a_done_run_whose_output_is_gone_is_run_again(tmp_path):
    job = toy_job("a")
    run([job], finish, tmp_path)
    output_of(job, tmp_path).unlink()
    assert look_up(job, tmp_path).record is None
    events = []
    state, order = run([job], finish, tmp_path, events)
    assert order == ["a"] and state.done == 1 and ("repair", "a") in events
    assert (folder_of(job, tmp_path) / "run.json.rejected").exists()


def test_a_rendering_is_done_with_the_clips_that_it_names(tmp_path):
    job = dataclasses.replace(toy_job("a"), kind="render")

    def behave(spec, folder):
        (folder / "store").mkdir(exist_ok=True)
        (folder / "store" / "frames.bin").write_bytes(b"frames")
        return finish(spec, folder, store_sha256=sha256_of_rendered(folder))

    run([job], behave, tmp_path)
    state, order = run([job], behave, tmp_path)
    assert order == [] and state.cached == 1
    (folder_of(job, tmp_path) / "store" / "frames.bin").write_bytes(b"")
    state, order = run([job], behave, tmp_path)
    assert order == ["a"] and state.done == 1


def test_what_another_harness_runs_is_waited_for_not_done_twice(tmp_path, monkeypatch):
    mine, theirs = toy_job("mine"), toy_job("theirs")
    folder = folder_of(theirs, tmp_path)
    folder.mkdir(parents=True)
    real_acquire = RunLock.acquire
    calls = []

    def acquire(lock):
        if lock.folder == folder:
            calls.append(1)
            if len(calls) == 1:
                return False
            write_record(folder, record_of(theirs, folder))
        return real_acquire(lock)

    monkeypatch.setattr(RunLock, "acquire", acquire)
    events = []
    state, order = run([theirs, mine], finish, tmp_path, events)
    assert order == ["mine"] and state.over == 2 and not state.failed
    assert ("elsewhere", "theirs") in events


@pytest.mark.parametrize("left", ["nothing", "by one that is gone", "by one that lives"])
def test_a_harness_that_idles_says_once_what_it_waits_for(tmp_path, monkeypatch, left):
    """Before a child of what another harness runs; and before all else where that takes the only slot: what one that
    is gone has left running, not what one that lives has in a slot of its own.
    """
    submitted = left == "by one that is gone"
    theirs, free = toy_job("theirs"), toy_job("free")
    child = toy_job("child", {"teacher": theirs})
    lock = RunLock(folder_of(theirs, tmp_path))
    assert lock.acquire()
    if left != "nothing":
        remember(lock.folder, Submission("fake", "job 7"))
    if left == "by one that lives":  # as the parent of this process does
        claim = {**vars(lock.holder()), "processes": [(os.getppid(), start_time(os.getppid()))]}
        (lock.folder / "lock" / str(lock.number) / "claim.json").write_text(json.dumps(claim))
    executor, events, pauses = FakeExecutor(finish, slots=1), [], []
    monkeypatch.setattr(executor, "attach", lambda job_id: job_id)

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            write_record(lock.folder, record_of(theirs, lock.folder))
            (lock.folder / SUBMITTED).unlink(missing_ok=True)
            lock.release()

    jobs = {j.key: j for j in (theirs, free, child)}
    report = lambda event, job, detail: events.append((event, job.name, detail))  # noqa: E731
    status = Scheduler(jobs, executor, Options(tmp_path), report, pause=pause).run()
    assert status.over == 3 and sorted(executor.order) == ["child", "free"]
    (said,) = [e for e in events if e[0] == "waiting"]
    who = os.getppid() if left == "by one that lives" else os.getpid()
    assert said[1] == "theirs" and str(who) in said[2] and "nothing starts here before it ends" in said[2]
    assert executor.order == ["free", "child"]
    assert said[2].endswith(f"{2 if submitted else 1} to come") and ("takes a slot here, too" in said[2]) == submitted


@pytest.mark.parametrize("lives", [True, False])
def test_what_a_harness_on_another_machine_runs_takes_a_slot_here_until_it_is_seen_to_live(
    tmp_path, monkeypatch, lives
):
    theirs, free = toy_job("theirs"), toy_job("free")
    harness = Task(theirs, folder_of(theirs, tmp_path))
    assert harness.lock.acquire()
    claim_of_it = harness.folder / "lock" / "1" / "claim.json"
    claim_of_it.write_text(json.dumps({**vars(harness.lock.holder()), "host": "elsewhere"}))
    remember(harness.folder, Submission("fake", "job 7"))
    worker = RunLock(harness.folder, 1)
    executor, order = FakeExecutor(finish, slots=1), []
    monkeypatch.setattr(executor, "attach", lambda job_id: job_id)

    def pause(seconds):
        order.append("pause")
        if order.count("pause") < 4:
            (harness if lives else worker).refresh()
        elif order.count("pause") == 4:
            write_record(harness.folder, record_of(theirs, harness.folder))
            (harness.folder / SUBMITTED).unlink()
            harness.lock.release()

    jobs = {j.key: j for j in (theirs, free)}
    report = lambda event, job, detail: order.append(f"{event} {job.name}")  # noqa: E731
    status = Scheduler(jobs, executor, Options(tmp_path), report, pause=pause).run()
    assert status.over == 2 and executor.order == ["free"]
    assert order[:3] == ["elsewhere theirs", "waiting theirs", "pause"]
    assert order[: order.index("started free")].count("pause") == (1 if lives else 4)


def record_of(job, folder):
    return RunRecord(
        key=job.key, status="done", cell=job.cell, identity=job.identity, checkpoint_sha256=weights(folder)
    )


def test_too_little_disk_stops_with_what_is_needed(tmp_path, monkeypatch):
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda p: usage._replace(free=1))
    with pytest.raises(OSError, match="64 MiB are needed"):
        run([toy_job("a")], finish, tmp_path)


def test_a_stop_request_leaves_jobs_for_the_next_run(tmp_path):
    jobs = [toy_job("a"), toy_job("b")]

    def behave(spec, folder):
        if spec.name == "a":
            signal.raise_signal(signal.SIGINT)
        return 3

    state, _ = run(jobs, behave, tmp_path)
    assert state.stopped and not state.failed
    state, order = run(jobs, finish, tmp_path)
    assert sorted(order) == ["a", "b"] and state.done == 2


def test_a_job_that_goes_on_says_so_when_it_starts(tmp_path):
    job, said = toy_job("a"), []

    def stopped(spec, folder):
        (folder / RESUME).parent.mkdir()
        (folder / RESUME).write_bytes(b"state")
        return 3

    report = lambda event, job, detail: said.append((event, detail))  # noqa: E731
    for behave in (stopped, finish):
        executor = FakeExecutor(behave)
        execute({job.key: job}, executor, Options(tmp_path, retries=0), report)
    assert [detail for event, detail in said if event == "started"] == ["", "goes on from its checkpoint"]


def test_where_an_earlier_attempt_stood_is_not_taken_for_this_one(tmp_path):
    job, stood = toy_job("a"), []

    def behave(spec, folder):
        stood.append((folder / "progress.json").exists())
        (folder / "progress.json").write_text("{}")
        return 1

    for _ in range(2):
        run([job], behave, tmp_path)
    assert len(stood) >= 2 and not any(stood)


def test_a_stop_request_cancels_what_runs_and_gives_its_locks_back(tmp_path):
    handles = []

    class Slow(FakeExecutor):
        def submit(self, run_dir, resources):
            handles.append(super().submit(run_dir, resources))
            return handles[-1]

        def wait(self, timeout):
            if not any(h.cancelled for h in handles):
                signal.raise_signal(signal.SIGTERM)

    jobs = [toy_job("a"), toy_job("b")]
    status = execute({j.key: j for j in jobs}, Slow(lambda s, f: 3), Options(tmp_path), lambda *a: None)
    assert status.stopped and not status.running and len(handles) == 2 and all(h.cancelled for h in handles)
    assert not any(RunLock(folder_of(j, tmp_path)).holder() for j in jobs)


def test_a_job_that_ends_while_it_is_stopped_is_done(tmp_path):
    """The first has written its record when the stop is asked for, the second has not."""

    class Interrupted(FakeExecutor):
        def wait(self, timeout):
            if not any(job.cancelled for job in self.running):
                signal.raise_signal(signal.SIGTERM)

    jobs, events = [toy_job("a"), toy_job("b")], []
    executor = Interrupted(lambda s, f: finish(s, f) if s.name == "a" else 3)
    report = lambda event, job, detail: events.append((event, job.name))  # noqa: E731
    status = execute({j.key: j for j in jobs}, executor, Options(tmp_path), report)
    assert status.stopped and status.done == 1 and status.waiting == (jobs[1].key,)
    assert events[-1] == ("done", "a")
    assert not any(RunLock(folder_of(j, tmp_path)).holder() for j in jobs)


def test_where_one_job_cannot_be_cancelled_the_others_are_all_the_same(tmp_path):
    handles = []

    class Broken(FakeExecutor):
        def submit(self, run_dir, resources):
            handles.append(super().submit(run_dir, resources))
            if len(handles) == 2:
                handles[-1].cancel = self.refuse
            return handles[-1]

        def wait(self, timeout):
            signal.raise_signal(signal.SIGTERM)

        def refuse(self, grace):
            raise RuntimeError("the cluster does not answer")

    jobs = [toy_job("a"), toy_job("b"), toy_job("c")]
    with pytest.raises(ExecutorFault, match=r"fake: cancel failed \(RuntimeError: the cluster does not answer"):
        execute({j.key: j for j in jobs}, Broken(lambda s, f: 3, slots=3), Options(tmp_path), lambda *a: None)
    assert [h.cancelled for h in handles] == [True, False, True]
    assert not any(RunLock(folder_of(j, tmp_path)).holder() for j in jobs)


def test_a_job_that_a_harness_left_running_is_waited_for_and_not_submitted_twice(tmp_path):
    """Its lock is free (the harness is gone and the job has not joined yet), but the executor knows it by its id."""
    job, events, pauses = toy_job("a"), [], []
    folder = folder_of(job, tmp_path)
    folder.mkdir(parents=True)
    remember(folder, Submission("fake", "job 7"))
    executor = FakeExecutor(finish)
    executor.attach = lambda job_id: job_id if job_id == "job 7" and len(pauses) < 2 else None

    def pause(seconds):
        assert not executor.order and not RunLock(folder).holder()
        pauses.append(seconds)

    report = lambda event, job, detail: events.append((event, detail))  # noqa: E731
    status = Scheduler({job.key: job}, executor, Options(tmp_path), report, pause=pause).run()
    assert status.done == 1 and executor.order == ["a"] and len(pauses) == 2
    assert [e for e, _ in events] == ["elsewhere", "waiting", "started", "done"]
    assert all("fake job job 7" in said for _, said in events[:2])
    assert recall(folder) is None


def test_where_a_job_was_submitted_is_written_down_while_it_runs(tmp_path):
    job, seen = toy_job("a"), []
    executor = FakeExecutor(finish)
    wait = executor.wait
    executor.wait = lambda timeout: seen.append(recall(folder_of(job, tmp_path))) or wait(timeout)
    execute({job.key: job}, executor, Options(tmp_path), lambda *a: None)
    assert seen == [Submission("fake", "job 1")] and recall(folder_of(job, tmp_path)) is None


DAMAGED = ['{"backend": "cloud", "id": "7"}', "{", '{"backend": "fake"}', '{"backend": "fake", "id": 7}', "[" * 50_000]


def test_a_submission_of_another_executor_or_a_damaged_one_is_no_hindrance(tmp_path):
    for number, text in enumerate(DAMAGED):
        job = toy_job(f"job{number}")
        folder = folder_of(job, tmp_path)
        folder.mkdir(parents=True)
        (folder / SUBMITTED).write_text(text)
        executor = FakeExecutor(finish)
        executor.attach = lambda job_id: job_id
        assert execute({job.key: job}, executor, Options(tmp_path), lambda *a: None).done == 1


def test_a_retried_job_goes_to_the_end_of_the_queue(tmp_path):
    jobs, left = [toy_job(name) for name in "abc"], ["a"]
    executor = FakeExecutor(lambda s, f: fail(s, f, "killed") if left and left.pop() else finish(s, f), slots=1)
    execute({j.key: j for j in jobs}, executor, Options(tmp_path), lambda *a: None)
    assert executor.order == ["a", "b", "c", "a"]


def test_a_job_is_submitted_with_its_devices_and_time_limit(tmp_path):
    job, executor = toy_job("a"), FakeExecutor(finish)
    job.config["train_dataloader"]["sampler"] = {"type": "DefaultSampler"}
    execute({job.key: job}, executor, Options(tmp_path, processes=2, time_limit=60.0), lambda *a: None)
    assert executor.asked == [Resources(2, 60.0)]


def test_a_tick_shows_what_runs(tmp_path):
    job, seen = toy_job("a"), []
    execute({job.key: job}, FakeExecutor(finish), Options(tmp_path), lambda *a: None, seen.append)
    assert list(seen[0].running) == [job.key] and (seen[0].total, seen[0].over) == (1, 0)


def test_jobs_are_plain_values():
    assert dataclasses.asdict(toy_job("a"))["name"] == "a"


def test_what_a_full_queue_does_not_take_is_submitted_later_and_was_no_attempt(tmp_path, monkeypatch):
    monkeypatch.setattr(scheduler, "FULL_SECONDS", 0.0)
    jobs, events, full = [toy_job(name) for name in "abc"], [], [False, True, True, True, False, False]

    class Crowded(FakeExecutor):
        def submit(self, run_dir, resources):
            if full.pop(0):
                raise QueueFull("the queue is full (limit 1)")
            return super().submit(run_dir, resources)

    executor = Crowded(finish, slots=3)
    report = lambda event, job, detail: events.append((event, job.name, detail))  # noqa: E731
    status = Scheduler({j.key: j for j in jobs}, executor, Options(tmp_path), report, pause=lambda _: None).run()
    assert status.done == 3 and sorted(executor.order) == ["a", "b", "c"] and not full
    assert [load_record(folder_of(j, tmp_path)).attempts for j in jobs] == [1, 1, 1]
    waits = [(name, said) for event, name, said in events if event == "waiting"]
    assert waits == [("b", "the queue is full (limit 1); tried again every 0 s")]
    assert not any(RunLock(folder_of(j, tmp_path)).holder() for j in jobs)


def test_a_full_queue_is_left_alone_for_a_while(tmp_path, monkeypatch):
    now, asked_at = [0.0], []
    monkeypatch.setattr(scheduler.time, "monotonic", lambda: now[0])

    class Crowded(FakeExecutor):
        def submit(self, run_dir, resources):
            asked_at.append(now[0])
            if len(asked_at) < 3:
                raise QueueFull("full")
            return super().submit(run_dir, resources)

    def pause(seconds):
        assert recall(folder_of(job, tmp_path)) is None and not RunLock(folder_of(job, tmp_path)).holder()
        now[0] += seconds

    job = toy_job("a")
    Scheduler({job.key: job}, Crowded(finish), Options(tmp_path), lambda *a: None, pause=pause).run()
    assert asked_at == [0.0, FULL_SECONDS, 2 * FULL_SECONDS]
