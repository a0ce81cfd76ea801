"""What was edited in a ledger is named, whatever it is, and stops nothing else."""

import hashlib
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from harness.ledger.files import sha256_of
from harness.ledger.identity import IDENTITY_VERSION
from harness.ledger.judge import labels_fingerprint, sha256_of_rendered
from harness.ledger.metrics import compute_metrics
from harness.ledger.planfile import EditedPlan, PlanFile, read_plan, write_plan
from harness.ledger.record import CellInfo, Cost, DataInfo, Epoch, Identity, RunRecord, seal_of
from harness.ledger.store import load_heads, load_record, load_records, write_record
from harness.ledger.verdicts import CODE, JUDGES, Verdicts, rules_digest, verdicts_of
from harness.ledger.verify import verify_ledger
from tests.helpers.sound_run import write_run

CLIPS = pd.DataFrame(
    {
        "clip_id": [f"c{i}" for i in range(8)],
        "subject": ["s8", "s9"] * 4,
        "label": [0, 0, 1, 1, 0, 0, 1, 1],
        "scores": [np.array([0.8, 0.2], dtype=np.float32)] * 8,
    }
)


def record(name="i3d", seed=0, **changes) -> RunRecord:
    return RunRecord(
        key="",
        status="done",
        cell=CellInfo(
            model=name,
            method="I3D",
            stage="single",
            dataset="mgr_dark",
            train_modalities=["rgb"],
            test_modality="rgb",
            seed=seed,
            profile="demo",
        ),
        identity=Identity(
            version=IDENTITY_VERSION,
            config={"profile": "demo", "model": {"name": name}, "test_evaluator": [{"type": "ClipPredictions"}]},
            data={"train": "a" * 64, "test": "b" * 64},
            parents={},
            code={"mtcd_plugin.models": "c" * 64},
            seed=seed,
        ),
        epochs=[Epoch(epoch=1, loss=0.5, lr=1e-3)],
        data=DataInfo(
            name="MGR-Dark",
            synthetic=True,
            fingerprint="",
            classes=["left", "right"],
            train_clips=16,
            test_clips=8,
            train_subjects=["s1", "s2"],
            test_subjects=["s8", "s9"],
            lighting="dark",
        ),
        cost=Cost(params=10, flops=20, input_shape=[3, 16, 56, 56], train_seconds=1.5, total_seconds=2),
        measurements={"flicker": 0.5},
        environment={"torch": "2"},
        hardware={"cpu": "x"},
        commit="c" * 40,
        command="python -m harness run",
        started="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:01:00Z",
    ).model_copy(update=changes)


def rendering(work_dir):
    made = record("pseudo").model_copy(update={"kind": "render", "metrics": None})
    made.identity.config["test_evaluator"] = [{"type": "PseudoInfraredStore"}]
    folder, written = write_run(work_dir, made)
    (folder / "store").mkdir()
    (folder / "store" / "frames.bin").write_bytes(bytes(64))
    write_record(folder, written.model_copy(update={"store_sha256": sha256_of_rendered(folder)}))
    return folder


def put(folder, dotted, value):
    """Set a field of run.json as somebody with an editor would."""
    path = folder / "run.json"
    document = json.loads(path.read_text())
    *parents, last = dotted.split(".")
    node = document
    for part in parents:
        node = node[int(part)] if part.isdigit() else node[part]
    node[last] = value
    path.write_text(json.dumps(document, indent=1))


def drop(folder, *names):
    path = folder / "run.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in document.items() if k not in names}))


def raw(folder, text):
    (folder / "run.json").write_bytes(text if isinstance(text, bytes) else text.encode())


def cherry_pick(folder):
    """Keep the clips that are right, and make counts, hash and metrics fit."""
    kept = CLIPS[CLIPS["label"] == 0]
    kept.to_parquet(folder / "predictions.parquet")
    put(folder, "predictions_sha256", sha256_of(folder / "predictions.parquet"))
    put(folder, "metrics", compute_metrics(kept).model_dump())
    put(folder, "data.test_clips", len(kept))


FIELDS = {
    "key": "f" * 64,
    "status": "failed",
    "kind": "render",
    "cell.model": "mtcd",
    "cell.method": "MTCD",
    "cell.stage": "student",
    "cell.dataset": "nvgesture",
    "cell.train_modalities": ["rgb", "ir"],
    "cell.test_modality": "depth",
    "cell.variant": "alpha=0.5",
    "cell.overrides": {"model.alpha": 0.5},
    "cell.seed": 7,
    "cell.profile": "paper",
    "identity.version": 1,
    "identity.config": {},
    "identity.config.profile": "paper",
    "identity.data": {},
    "identity.data.test": "d" * 64,
    "identity.parents": {"teacher": "e" * 64},
    "identity.code": {},
    "identity.seed": 3,
    "metrics": None,
    "metrics.top1": 0.99,
    "metrics.top5": 0.5,
    "metrics.mean_class": 0.9,
    "measurements": {"flicker": 0.1},
    "measurements.flicker": 0.25,
    "predictions_sha256": "0" * 64,
    "checkpoint_sha256": "",
    "store_sha256": "0" * 64,
    "epochs": [],
    "epochs.0.loss": 0.1,
    "data": None,
    "data.name": "NvGesture",
    "data.synthetic": False,
    "data.fingerprint": "d" * 64,
    "data.classes": ["left"],
    "data.train_clips": 5000,
    "data.test_clips": 80,
    "data.train_subjects": ["s1", "S8 "],
    "data.test_subjects": ["s8", "s9", "s10"],
    "data.lighting": "daylight",
    "data.quarantine": "1" * 64,
    "cost.params": 1,
    "cost.flops": 1,
    "cost.train_seconds": 0.1,
    "cost.total_seconds": 0.1,
    "cost.input_shape": [3, 32, 224, 224],
    "pretrained": ["imagenet.pth"],
    "environment": {},
    "hardware": {"gpu": "H100"},
    "commit": "d" * 40,
    "command": "rm -r .",
    "started": "2020-01-01T00:00:00Z",
    "finished": "2030-01-01T00:00:00Z",
    "attempts": 2,
    "adopted": "trust me",
    "adopted_from": "f" * 64,
    "notes": ["measured on real data"],
    "failure": {"kind": "crash", "message": "x", "log_tail": []},
    "seal": "",
    "surprise": 1,
    "schema_version": 1,
}


@pytest.mark.parametrize("field", FIELDS)
def test_an_edited_field_is_named_and_the_other_runs_stay(tmp_path, field):
    folder, _ = write_run(tmp_path, record(), CLIPS)
    _, other = write_run(tmp_path, record("tsn"), CLIPS)
    put(folder, field, FIELDS[field])
    records, rejected = load_records(tmp_path)
    assert set(records) == {other.key} and [r.path for r in rejected] == [folder]
    count, findings = verify_ledger(tmp_path)
    assert count == 2 and [f.run for f in findings] == [folder.name]
    assert "\n" not in findings[0].problem


ODD = {
    "NaN in cost": lambda f: raw(f, (f / "run.json").read_text().replace("1.5", "NaN")),
    "Infinity in a measurement": lambda f: raw(
        f, (f / "run.json").read_text().replace('"flicker": 0.5', '"flicker": Infinity')
    ),
    "10^400 in cost": lambda f: raw(f, (f / "run.json").read_text().replace("1.5", "1" + "0" * 400)),
    "10^400 parameters": lambda f: raw(
        f, (f / "run.json").read_text().replace('"params": 10', '"params": 1' + "0" * 400)
    ),
    "1e400 loss": lambda f: raw(f, (f / "run.json").read_text().replace('"loss": 0.5', '"loss": 1e400')),
    "negative": lambda f: put(f, "cost.train_seconds", -1),
    "deeply nested": lambda f: raw(f, '{"a":' * 100_000 + "1" + "}" * 100_000),
    "deeply nested lists": lambda f: raw(f, "[" * 200_000),
    "binary": lambda f: raw(f, bytes(range(256))),
    "empty": lambda f: raw(f, b""),
    "cut": lambda f: raw(f, (f / "run.json").read_bytes()[:200]),
    "null": lambda f: raw(f, "null"),
    "byte order mark": lambda f: raw(f, b"\xff\xfe" + (f / "run.json").read_bytes()),
    "a folder": lambda f: ((f / "run.json").unlink(), (f / "run.json").mkdir()),
    "a link to itself": lambda f: ((f / "run.json").unlink(), (f / "run.json").symlink_to("run.json")),
    "newer": lambda f: put(f, "schema_version", 99),
    "schema of another kind": lambda f: put(f, "schema_version", "2"),
    "no schema": lambda f: drop(f, "schema_version"),
    "no metrics": lambda f: drop(f, "metrics"),
    "failed with metrics": lambda f: put(f, "status", "failed"),
    "cherry-picked clips": cherry_pick,
    "a checkpoint of 0 bytes": lambda f: (f / "checkpoint.pth").write_bytes(b""),
    "another checkpoint": lambda f: (f / "checkpoint.pth").write_bytes(b"other"),
    "no checkpoint": lambda f: (f / "checkpoint.pth").unlink(),
    "no predictions": lambda f: (f / "predictions.parquet").unlink(),
    "cut predictions": lambda f: (f / "predictions.parquet").write_bytes((f / "predictions.parquet").read_bytes()[:99]),
    "a folder of predictions": lambda f: ((f / "predictions.parquet").unlink(), (f / "predictions.parquet").mkdir()),
}


@pytest.mark.parametrize("damage", ODD)
def test_an_odd_record_is_rejected_with_its_reason_and_the_other_runs_stay(tmp_path, damage):
    folder, _ = write_run(tmp_path, record(), CLIPS)
    _, other = write_run(tmp_path, record("tsn"), CLIPS)
    ODD[damage](folder)
    records, rejected = load_records(tmp_path)
    assert set(records) == {other.key} and [r.path for r in rejected] == [folder]
    assert "\n" not in rejected[0].reason and len(rejected[0].reason) < 500
    assert [f.run for f in verify_ledger(tmp_path)[1]] == [folder.name]


def resealed(folder, **changes):
    """A record whose seal was computed anew: what is left to find is what does not fit together."""
    document = RunRecord.model_validate_json((folder / "run.json").read_text()).model_copy(update=changes)
    document.seal = seal_of(document)
    (folder / "run.json").write_text(document.model_dump_json())


def predictions_as(folder, table):
    table.to_parquet(folder / "predictions.parquet")
    resealed(
        folder,
        predictions_sha256=sha256_of(folder / "predictions.parquet"),
        metrics=compute_metrics(table)
        if "scores" in table
        else RunRecord.model_validate_json((folder / "run.json").read_text()).metrics,
    )


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (lambda f, r: resealed(f, cell=r.cell.model_copy(update={"profile": "paper"})), "its profile is paper"),
        (lambda f, r: resealed(f, cell=r.cell.model_copy(update={"seed": 5})), "its seed is 5"),
        (lambda f, r: resealed(f, identity=r.identity.model_copy(update={"code": {}})), "not the hash of its identity"),
        (lambda f, r: resealed(f, data=r.data.model_copy(update={"synthetic": False})), "synthetic, clips"),
        (lambda f, r: resealed(f, data=r.data.model_copy(update={"quarantine": "1" * 64})), "quarantine"),
        (lambda f, r: resealed(f, data=r.data.model_copy(update={"fingerprint": "1" * 64})), "data fingerprint"),
        (lambda f, r: resealed(f, data=r.data.model_copy(update={"train_subjects": ["s1", "S8"]})), "its data"),
        (lambda f, r: resealed(f, metrics=None), "done, yet it has no metrics"),
        (lambda f, r: resealed(f, checkpoint_sha256=""), "names no checkpoint"),
        (lambda f, r: resealed(f, adopted="trust me"), "from which other run"),
        (lambda f, r: resealed(f, adopted="trust me", adopted_from=r.key), "from which other run"),
        (lambda f, r: predictions_as(f, CLIPS.iloc[:5]), "5 predictions for 8 test clips"),
        (lambda f, r: predictions_as(f, CLIPS.assign(clip_id=["c0"] * 8)), "predicted twice"),
        (lambda f, r: predictions_as(f, CLIPS.assign(label=[0] * 8)), "not those of the test split"),
        (lambda f, r: predictions_as(f, CLIPS.assign(subject="s1")), "outside the test split: s1"),
        (lambda f, r: predictions_as(f, CLIPS.assign(subject=None)), "subject is not text"),
        (lambda f, r: predictions_as(f, CLIPS.drop(columns="clip_id")), "not predictions"),
        (lambda f, r: predictions_as(f, CLIPS.assign(scores=[np.array([0.8, 0.1, 0.1])] * 8)), "3 scores a clip"),
    ],
)
def test_what_does_not_fit_together_is_named_under_a_new_seal(tmp_path, forge, words):
    folder, written = write_run(tmp_path, record(), CLIPS)
    forge(folder, written)
    with pytest.raises(ValueError, match=words):
        load_record(folder)


def test_people_are_the_same_however_their_name_is_written(tmp_path):
    data = record().data.model_copy(
        update={"train_subjects": ["J\u00fcrgen"], "test_subjects": ["s8", "s9", "ju\u0308rgen "]}
    )
    write_run(tmp_path, record(data=data), CLIPS)
    assert "trained on test subjects" in load_records(tmp_path)[1][0].reason


def test_edited_frames_of_a_rendering_are_named(tmp_path):
    folder = rendering(tmp_path)
    assert load_record(folder).store_sha256
    (folder / "store" / "frames.bin").write_bytes(bytes(63) + b"x")
    with pytest.raises(ValueError, match="rendered clips changed"):
        load_record(folder)
    assert len(verify_ledger(tmp_path)[1]) == 1


def test_of_two_folders_with_one_run_the_second_is_named(tmp_path):
    folder, written = write_run(tmp_path, record(), CLIPS)
    copy = folder.with_name(f"zz-{written.key[:12]}")
    shutil.copytree(folder, copy)
    records, rejected = load_records(tmp_path)
    assert records[written.key][0] == folder and [r.path for r in rejected] == [copy]
    assert "the same run" in rejected[0].reason


def test_an_equal_key_is_the_same_run_whichever_cell_asks(tmp_path):
    from harness.ledger.store import run_dir

    folder, written = write_run(tmp_path, record(), CLIPS)
    assert run_dir(tmp_path, "mtcd+alpha=0.9-s0", written.key) == folder
    assert run_dir(tmp_path, "i3d-s0", "f" * 64).name == "i3d-s0-ffffffffffff"


def test_verdicts_hold_until_a_file_changes_and_verify_does_without_them(tmp_path):
    folder, written = write_run(tmp_path, record(), CLIPS)
    weights = folder / "checkpoint.pth"
    assert not load_records(tmp_path)[1]
    kept = json.loads((tmp_path / "verdicts.json").read_text())
    stamp, problems, _ = kept["runs"][folder.name]
    assert problems == []
    # a verdict that says otherwise is believed as long as nothing changed: it is what was found before
    (tmp_path / "verdicts.json").write_text(json.dumps({**kept, "runs": {folder.name: [stamp, ["said before"]]}}))
    assert Verdicts(tmp_path).problems(folder, written) == ["said before"]
    before = weights.stat()
    weights.write_bytes(b"I3D")  # as long as "i3d"
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))  # the time of change cannot be set back
    assert Verdicts(tmp_path).problems(folder, written) == ["checkpoint.pth changed since the run was recorded"]
    assert "checkpoint.pth changed" in verify_ledger(tmp_path)[1][0].problem


def test_verdicts_of_other_rules_are_reached_anew(tmp_path, monkeypatch):
    """Also where they say that a run is valid, of which then not even the record would be read."""
    folder, written = write_run(tmp_path, record(), CLIPS)
    verdicts_of.cache_clear()
    assert list(load_heads(tmp_path)[0]) == [written.key]
    monkeypatch.setattr("harness.ledger.verdicts.problems_of", lambda *_: ["by the new rule"])  # an update of the judge
    verdicts_of.cache_clear()
    assert list(load_heads(tmp_path)[0]) == [written.key], "the same rules: what was found before"
    monkeypatch.setattr("harness.ledger.verdicts.rules_digest", lambda: "of the new rule")
    verdicts_of.cache_clear()
    records, rejected = load_heads(tmp_path)
    assert not records and "by the new rule" in rejected[0].reason
    assert json.loads((tmp_path / "verdicts.json").read_text())["rules"] == "of the new rule"
    verdicts_of.cache_clear()


@pytest.mark.parametrize("changed", JUDGES)
def test_the_rules_are_others_when_the_code_of_any_of_them_is(tmp_path, changed):
    for name in JUDGES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CODE / name, tmp_path / name)
    assert rules_digest(tmp_path) == rules_digest()
    (tmp_path / changed).write_text((tmp_path / changed).read_text() + "\n# another rule\n")
    rules_digest.cache_clear()
    assert rules_digest(tmp_path) != rules_digest()


@pytest.mark.parametrize("content", [b"", b"[1", b"\x80", b'{"a": 1}', b"[" * 100_000])
def test_damaged_verdicts_are_reached_anew(tmp_path, content):
    folder, written = write_run(tmp_path, record(), CLIPS)
    (tmp_path / "verdicts.json").write_bytes(content)
    assert Verdicts(tmp_path).problems(folder, written) == []


def test_a_record_that_could_not_be_read_again_is_not_written(tmp_path):
    bad = record(measurements={"flicker": float("nan")})
    with pytest.raises(ValueError, match="measurements.flicker"):
        write_record(tmp_path, bad)
    assert not list(tmp_path.iterdir())


def test_swapped_keys_in_a_plan_are_named(tmp_path):
    cells = []
    for name in ("i3d", "tsn"):
        _, r = write_run(tmp_path, record(name), CLIPS)
        c = r.cell.model_dump(exclude={"profile"})
        cells.append({**c, "id": name, "title": name, "key": r.key})
    write_plan(tmp_path / "plan.json", PlanFile(profile="demo", tables=["table2"], seeds=1, cells=cells))
    assert read_plan(tmp_path / "plan.json").cells[0].id == "i3d" and verify_ledger(tmp_path) == (2, [])
    plan = json.loads((tmp_path / "plan.json").read_text())
    a, b = plan["cells"]
    a["key"], b["key"] = b["key"], a["key"]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(EditedPlan):
        read_plan(tmp_path / "plan.json")
    assert [f.run for f in verify_ledger(tmp_path)[1]] == ["plan.json"]


def test_a_plan_of_an_older_harness_with_fewer_fields_is_not_taken_for_an_edited_one(tmp_path):
    path = tmp_path / "plan.json"
    write_plan(path, PlanFile(profile="demo", tables=["table2"], seeds=1, synthetic=["mgr_dark"], cells=[]))
    plan = json.loads(path.read_text())
    del plan["synthetic"], plan["seal"]
    plan["schema_version"] = 2
    said = json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()
    path.write_text(json.dumps({**plan, "seal": hashlib.sha256(said).hexdigest()}))
    assert read_plan(path).synthetic is None
    path.write_text(path.read_text().replace('"demo"', '"paper"'))
    with pytest.raises(EditedPlan):
        read_plan(path)


def test_the_fingerprint_of_labels_is_of_a_set_of_clips():
    rows = [("a", "s", 0), ("b", "s", 1)]
    assert labels_fingerprint(rows) == labels_fingerprint(reversed(rows))
    assert labels_fingerprint(rows) != labels_fingerprint([("a", "s", 1), ("b", "s", 0)])
