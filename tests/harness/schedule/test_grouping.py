"""Which students train side by side, and how many: the group is bounded by slots, by a limit, and by free memory."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.ledger.migrate import LeftAlone
from harness.ledger.record import Cost
from harness.schedule import grouping
from harness.schedule.grouping import LIMIT, batch_compatible_jobs, room_for
from harness.schedule.options import Options
from harness.schedule.scheduler import Scheduler
from harness.worker.spec import read_spec
from tests.helpers.toy_jobs import FakeExecutor, finish, toy_job


def students(count):
    lead = toy_job("student")
    lead.config["model"] = {"type": "CrossModalDistiller"}
    return [
        replace(lead, key=f"k{i}", cell=lead.cell.model_copy(update={"overrides": {"model.alpha": i / 10}}))
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("ready", "slots", "room", "expected"),
    [(11, 1, LIMIT, 11), (11, 2, LIMIT, 6), (30, 1, LIMIT, LIMIT), (11, 1, 4, 4), (11, 1, 1, 1), (11, 2, 100, 6)],
)
def test_an_even_share_per_slot_and_no_more_than_there_is_room_for(ready, slots, room, expected):
    jobs = students(ready)
    chosen = batch_compatible_jobs(jobs[0], jobs, slots, lambda: min(room, LIMIT))
    assert len(chosen) == expected and chosen[0] is jobs[0] and len({j.key for j in chosen}) == expected


def test_memory_is_asked_for_only_where_several_could_run_together():
    def never():
        raise AssertionError("asked for memory")

    alone, *others = students(3)
    assert batch_compatible_jobs(alone, [alone], 1, never) == [alone]
    single = toy_job("i3d")
    assert batch_compatible_jobs(single, [single, *others], 1, never) == [single]
    other_base = replace(others[0], cell=others[0].cell.model_copy(update={"seed": 7}))
    assert batch_compatible_jobs(alone, [alone, other_base], 1, never) == [alone]


def test_room_by_what_the_largest_parent_took():
    """16 bytes per parameter of a student (weight, gradient, two moments), one step's activations,
    in 4/5 of what is free.
    """
    teacher = SimpleNamespace(cost=Cost(params=1_000_000, peak_memory_bytes=20_000_000))
    smaller = SimpleNamespace(cost=Cost(params=1_000, peak_memory_bytes=70_000_000))
    assert room_for([smaller, teacher], 100_000_000) == (80_000_000 - 20_000_000) // 16_000_000 == 3
    assert room_for([teacher], 10_000_000) == 1 and room_for([teacher], 10**12) == LIMIT
    assert room_for([teacher], None) == room_for([], 10**9) == LIMIT


@pytest.mark.parametrize(("classifies", "together"), [(True, 1), (False, 3)])
def test_the_room_is_asked_of_what_classifies_whatever_it_is_called(tmp_path, classifies, together):
    """A renderer's network says nothing of a student's size."""
    expert = replace(toy_job("expert"), classifies=classifies)
    pupils = [replace(j, parents={"expert": expert.key}) for j in students(3)]
    for pupil in pupils:
        pupil.config["optim_wrapper"] = {}
    sizes = []

    def behave(spec, folder):
        sizes.append(len(spec.members))
        if spec.members:
            return 1  # each is run again alone
        return finish(spec, folder, cost=Cost(params=10**6, peak_memory_bytes=0))

    executor = FakeExecutor(behave, slots=1)
    executor.free_memory = lambda: 16 * 10**6 * 5 // 4
    Scheduler({j.key: j for j in (expert, *pupils)}, executor, Options(tmp_path), lambda *_: None).run()
    assert max(sizes) == (together if together > 1 else 0)


def test_students_of_a_network_that_cannot_be_read_now_train_one_by_one(tmp_path, monkeypatch):
    """What is wrong with it is for those to say that read it; other jobs go on."""
    expert = toy_job("expert")
    pupils = [replace(j, parents={"expert": expert.key}) for j in students(3)]
    for pupil in pupils:
        pupil.config["optim_wrapper"] = {}

    def unreadable(job, work_dir):
        raise LeftAlone(f"{job.name}: cannot be read now")

    monkeypatch.setattr(grouping, "look_up", unreadable)
    jobs = {j.key: j for j in (expert, *pupils, toy_job("other"))}
    sizes = []
    executor = FakeExecutor(lambda s, f: sizes.append(len(s.members)) or finish(s, f), slots=1)
    Scheduler(jobs, executor, Options(tmp_path, retries=0), lambda *_: None).run()
    assert len(executor.order) == 5 and not any(sizes)


def test_each_of_a_group_is_left_what_it_would_be_told_alone(tmp_path):
    """Without it nothing says which modules register its classes, nor how often it was tried."""
    pupils = students(3)
    for pupil in pupils:
        pupil.config.update(optim_wrapper={}, custom_imports={"imports": ["my_package"]})
    seen = []

    def behave(spec, folder):
        seen.append([read_spec(Path(m.directory)) for m in spec.members[1:]])
        return 0

    executor = FakeExecutor(behave, slots=1)
    Scheduler({j.key: j for j in pupils}, executor, Options(tmp_path, retries=0), lambda *_: None).run()
    assert [(s.key, s.members, s.attempts) for s in seen[0]] == [(p.key, [], 1) for p in pupils[1:]]
    assert all(s.config["custom_imports"] == {"imports": ["my_package"]} for s in seen[0])
