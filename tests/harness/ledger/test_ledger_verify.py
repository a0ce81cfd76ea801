"""``verify`` names what is wrong with a ledger; ``adopt`` declares a run equivalent, in the open."""

import errno
import json
import os
import shutil

import pandas as pd
import pytest

from harness.ledger.identity import IDENTITY_VERSION, run_key
from harness.ledger.record import CellInfo, DataInfo, Identity, RunRecord, seal_of
from harness.ledger.store import load_record
from harness.ledger.verify import verify_ledger
from harness.plan.adopt import adopt, adopt_all, adoptions
from harness.plan.jobs import Job
from harness.plan.run_state import folder_of, look_up
from harness.plan.status import JobState
from tests.helpers.sound_run import write_run

DATA = DataInfo(
    name="MGR-Dark",
    synthetic=True,
    fingerprint="f",
    classes=["a", "b"],
    train_clips=2,
    test_clips=4,
    train_subjects=["s1"],
    test_subjects=["s2"],
)


def make_run(work_dir, name="toy", seed=0, data=DATA, labels=(0, 1, 0, 1), parents=None, config=None):
    cell = CellInfo(
        model=name,
        method="Toy",
        stage="single",
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=seed,
        profile="smoke",
    )
    identity = Identity(
        version=IDENTITY_VERSION,
        config=config or {"name": name},
        data={},
        parents=parents or {},
        code={},
        seed=seed,
    )
    table = pd.DataFrame(
        {
            "clip_id": [f"c{i}" for i in range(len(labels))],
            "subject": "s2",
            "label": labels,
            "scores": [[0.8, 0.2]] * len(labels),
        }
    )
    return write_run(work_dir, RunRecord(key="", status="done", cell=cell, identity=identity, data=data), table)


def problems(work_dir):
    return [f.problem for f in verify_ledger(work_dir)[1]]


def test_a_sound_ledger_has_no_findings(tmp_path):
    _, teacher = make_run(tmp_path, "teacher")
    make_run(tmp_path, "student", parents={"teacher": teacher.key})
    assert verify_ledger(tmp_path) == (2, [])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda w: make_run(w, "b", data=DATA.model_copy(update={"train_subjects": ["s1", "s2"]})),
            "trained on test subjects: s2",
        ),
        (
            lambda w: make_run(w, "b", data=DATA.model_copy(update={"test_subjects": ["s3"]})),
            "outside the test split: s2",
        ),
        (lambda w: make_run(w, "b", parents={"teacher": "0" * 64}), "is not in this ledger"),
        (lambda w: (make_run(w, "b")[0] / "checkpoint.pth").write_bytes(b"other"), "checkpoint.pth changed"),
        (lambda w: (make_run(w, "b")[0] / "checkpoint.pth").unlink(), "checkpoint.pth is gone"),
    ],
)
def test_each_fault_is_named(tmp_path, make, words):
    make_run(tmp_path, "a")
    make(tmp_path)
    assert any(words in p for p in problems(tmp_path))


@pytest.mark.parametrize("content", ['{"key": ', "[]", '{"key": "another"}', None])
def test_a_job_file_that_is_damaged_or_a_folder_names_the_command_that_makes_it_anew(tmp_path, content):
    folder, record = make_run(tmp_path)
    job, command = folder / "job.json", "python -m harness run --cell 'toy-s0' --force"
    job.write_text(json.dumps({"key": record.key, "command": command}))
    assert problems(tmp_path) == []
    record = record.model_copy(update={"command": command})
    (folder / "run.json").write_text(record.model_copy(update={"seal": seal_of(record)}).model_dump_json())
    job.unlink()
    if content is None:
        job.mkdir()
    else:
        job.write_text(content)
    (said,) = problems(tmp_path)
    assert said.startswith(f"{job}: is ") and said.endswith(f"; `{command} --work-dir {tmp_path}` makes it anew")


def test_a_file_in_the_place_of_a_folder_is_to_be_moved_away(tmp_path):
    (make_run(tmp_path)[0] / "log.txt").mkdir()
    (said,) = problems(tmp_path)
    assert said.endswith("log.txt: is a folder, where a file belongs; move it away")


def test_a_key_that_is_not_its_identitys_is_named(tmp_path):
    folder, _ = make_run(tmp_path)
    path = folder / "run.json"
    record = json.loads(path.read_text())
    record["identity"]["seed"] = 7
    path.write_text(json.dumps(record))
    assert any("its key is not the hash of its identity" in p for p in problems(tmp_path))


def job_like(record, config):
    identity = record.identity.model_copy(update={"config": config})
    return Job(
        key=run_key(identity),
        name="toy-s0",
        kind="train",
        cell=record.cell,
        identity=identity,
        data=None,
        config={},
    )


def test_adopt_copies_the_run_under_the_new_key_and_says_why(tmp_path):
    _, old = make_run(tmp_path)
    job = job_like(old, {"name": "toy", "renamed": True})
    (source,) = (tmp_path / "runs").iterdir()
    (source / "job.json").write_text(json.dumps({"key": old.key}))  # what its worker was told
    (source / ".submitted.json").write_text("{}")
    folder = adopt(job, old, tmp_path, "only a default was written out")
    assert not (folder / "job.json").exists() and not (folder / ".submitted.json").exists()
    record = load_record(folder)
    assert record.key == job.key and record.metrics == old.metrics
    assert record.adopted == "only a default was written out" and record.adopted_from == old.key
    assert look_up(job, tmp_path).record == record
    assert verify_ledger(tmp_path) == (2, [])
    with pytest.raises(ValueError, match="run of its own"):
        adopt(job, old, tmp_path, "again")


@pytest.mark.parametrize("spoil", ["link to nothing", "named pipe"])
def test_a_run_that_cannot_be_copied_is_one_line_and_leaves_no_half(tmp_path, spoil):
    _, old = make_run(tmp_path)
    job = job_like(old, {"name": "toy", "renamed": True})
    (source,) = (tmp_path / "runs").iterdir()
    odd = source / "notes"
    odd.symlink_to("gone") if spoil == "link to nothing" else os.mkfifo(odd)
    with pytest.raises(ValueError, match=f"notes: is a {spoil}, which cannot be adopted; move it away"):
        adopt(job, old, tmp_path, "the same")
    assert list((tmp_path / "runs").iterdir()) == [source]
    odd.unlink()
    assert load_record(adopt(job, old, tmp_path, "the same")).key == job.key


def test_a_copy_that_fails_halfway_is_taken_back(tmp_path, monkeypatch):
    _, old = make_run(tmp_path)
    job = job_like(old, {"name": "toy", "renamed": True})
    copy, copied = shutil.copyfile, []

    def full_disk(source, target, **options):
        if copied:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        copied.append(target)
        return copy(source, target, **options)

    monkeypatch.setattr(shutil, "copyfile", full_disk)
    with pytest.raises(OSError, match=r"^\S+: cannot be copied: .*No space left on device") as e:
        adopt(job, old, tmp_path, "the same")
    assert "\n" not in str(e.value)
    assert copied and [p.name for p in folder_of(job, tmp_path).iterdir()] == ["lock"]


def test_adopt_wants_a_reason_and_the_same_cell(tmp_path):
    _, old = make_run(tmp_path)
    job = job_like(old, {"name": "new"})
    with pytest.raises(ValueError, match="--reason"):
        adopt(job, old, tmp_path, "  ")
    _, other = make_run(tmp_path, "other")
    with pytest.raises(ValueError, match="is of other seed 0"):
        adopt(job, other, tmp_path, "no")


def stale(folder, record, parents=None, **changes):
    """A stale job that differs from a run in these components."""
    identity = record.identity.model_copy(update={"parents": parents or record.identity.parents, **changes})
    job = Job(run_key(identity), f"{record.cell.model}-s0", "train", record.cell, identity, None, {}, identity.parents)
    return JobState(job, "stale", other=folder)


def test_all_stale_runs_are_adopted_in_one_call_stages_first(tmp_path):
    teacher_folder, teacher = make_run(tmp_path, "teacher")
    student_folder, student = make_run(tmp_path, "student", parents={"teacher": teacher.key})
    other_folder, other = make_run(tmp_path, "other")
    first = stale(teacher_folder, teacher, code={"p:f": "a:b"})
    second = stale(student_folder, student, {"teacher": first.job.key}, code={"p:f": "a:b"})
    third = stale(other_folder, other, config={"name": "new"}, code={"p:f": "a:b"})
    found = adoptions([first, second, third], tmp_path)
    assert [bool(a.refused) for a in found] == [False, False, True]
    assert (
        found[2].refused.startswith('config differs (config name: "other" -> "new")') and "\n" not in found[2].refused
    )
    assert verify_ledger(tmp_path)[0] == 3, "what is only shown changes nothing"
    assert len(adopt_all(found, tmp_path, "only names changed")) == 2
    record = look_up(second.job, tmp_path).record
    assert record.adopted == "only names changed" and record.adopted_from == student.key
    assert verify_ledger(tmp_path) == (5, [])
    assert not adoptions([third], tmp_path, ("config", "code"))[0].refused


def test_a_student_of_a_teacher_that_is_not_adopted_is_refused(tmp_path):
    teacher_folder, teacher = make_run(tmp_path, "teacher")
    student_folder, student = make_run(tmp_path, "student", parents={"teacher": teacher.key})
    first = stale(teacher_folder, teacher, data={"train": "other"})
    second = stale(student_folder, student, {"teacher": first.job.key})
    assert [a.refused.partition(" differs")[0] for a in adoptions([first, second], tmp_path)] == ["data", "parents"]


def test_a_run_of_an_earlier_identity_version_is_adopted_where_all_else_is_equal(tmp_path):
    folder, now = make_run(tmp_path, "toy")
    identity = now.identity.model_copy(update={"version": 2, "code": {"mtcd_plugin.models": "ab" * 32}})
    old = now.model_copy(update={"identity": identity, "key": run_key(identity)})
    (folder / "run.json").write_text(old.model_dump_json())
    state = stale(folder, old, version=IDENTITY_VERSION, code={"mtcd_plugin:Net": "a:b"})
    (found,) = adoptions([state], tmp_path)
    assert not found.refused and found.differences == (
        f"rule for keys: 2 -> {IDENTITY_VERSION} (the older rule hashed code differently, so code cannot be compared)",
    )
    (refused,) = adoptions([state], tmp_path, ("code",))
    assert refused.refused.startswith("version differs")
    (refused,) = adoptions([stale(folder, old, version=IDENTITY_VERSION, config={"name": "new"})], tmp_path)
    assert refused.refused.startswith("config differs")
