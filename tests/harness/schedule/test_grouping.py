"""Which students train side by side, and how many: the group is bounded by slots, by a limit, and by free memory."""

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.executors.local import LocalExecutor, free_gpu_memory
from harness.ledger.record import Cost
from harness.schedule.grouping import LIMIT, batch_compatible_jobs, room_for
from tests.helpers.toy_jobs import toy_job


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


def test_room_by_what_the_teacher_took():
    """16 bytes per parameter of a student (weight, gradient, two moments), one step's activations, in 4/5 of what is
    free.
    """
    teacher = SimpleNamespace(cost=Cost(params=1_000_000, peak_memory_bytes=20_000_000))
    assert room_for(teacher, 100_000_000) == (80_000_000 - 20_000_000) // 16_000_000 == 3
    assert room_for(teacher, 10_000_000) == 1 and room_for(teacher, 10**12) == LIMIT
    assert room_for(teacher, None) == room_for(None, 10**9) == LIMIT


def test_free_memory_of_a_gpu_as_the_drivers_tool_says_it(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        '#!/bin/sh\ncase "$1" in --id=1) echo 2048;; --id=0,1) printf "4096\\n2048\\n";; *) echo "[N/A]";; esac\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert free_gpu_memory("1") == free_gpu_memory("0,1") == 2048 * 2**20 and free_gpu_memory("7") is None
    assert LocalExecutor(jobs=2, gpus=("1",)).free_memory() == 1024 * 2**20  # two jobs share it
    tool.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert free_gpu_memory("1") is None


def test_slots_on_the_cpu_share_what_is_free():
    one, two = LocalExecutor(jobs=1).free_memory(), LocalExecutor(jobs=2).free_memory()
    assert 0 < two < 0.6 * one
