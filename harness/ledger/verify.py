"""Integrity of a ledger: what would make a page say something that the runs do not bear out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.identity import run_key
from harness.ledger.files import sha256_of
from harness.ledger.record import RunRecord
from harness.ledger.store import load_predictions, load_records

CHECKPOINT = "checkpoint.pth"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the run's folder and what, in one line."""

    run: str
    problem: str


def verify_ledger(work_dir: Path) -> tuple[int, list[Finding]]:
    """Check every record of a work dir. Returns the number of records and what is wrong.

    Metrics are recomputed from predictions and predictions hashed (by ``load_records``); keys are recomputed from
    identities; each test set must be complete and the same for all runs on it; no subject may be in both splits;
    parents must be there and unchanged; a cell may hold each seed once per plan key.
    """
    records, rejected = load_records(work_dir)
    findings = [Finding(r.path.name, r.reason) for r in rejected]
    test_sets: dict[tuple[str, str], tuple[str, frozenset[tuple[str, int]]]] = {}
    for key, (folder, record) in records.items():
        name = folder.name
        if not record.adopted and run_key(record.identity) != key:
            findings.append(Finding(name, "its key is not the hash of its identity"))
        findings += [Finding(name, p) for p in _own_problems(folder, record)]
        for stage, parent in record.identity.parents.items():
            if parent not in records:
                findings.append(
                    Finding(name, f"its parent stage '{stage}' ({parent[:12]}) is not in this ledger")
                )
            elif records[parent][1].status != "done":
                findings.append(Finding(name, f"its parent stage '{stage}' ({parent[:12]}) is not done"))
        if record.metrics is not None and record.data is not None:
            findings += [Finding(name, p) for p in _test_set_problems(folder, record, test_sets)]
    return len(records), findings


def _own_problems(folder: Path, record: RunRecord) -> list[str]:
    problems = []
    if record.status == "done" and record.failure is not None:
        problems.append("done, yet it has a failure")
    if record.status == "failed" and (record.failure is None or record.metrics is not None):
        problems.append("failed, yet it has metrics or no reason")
    if record.checkpoint_sha256:
        path = folder / CHECKPOINT
        if not path.is_file():
            problems.append(f"{CHECKPOINT} is gone")
        elif sha256_of(path) != record.checkpoint_sha256:
            problems.append(f"{CHECKPOINT} changed since the run was recorded")
    if record.data is not None:
        both = sorted(set(record.data.train_subjects) & set(record.data.test_subjects))
        if both:
            problems.append(f"trained on test subjects: {', '.join(both)}")
    return problems


def _test_set_problems(folder: Path, record: RunRecord, known: dict) -> list[str]:
    predictions = load_predictions(folder)
    problems = []
    if predictions["clip_id"].duplicated().any():
        problems.append("a test clip was predicted twice")
    if len(predictions) != record.data.test_clips:
        problems.append(f"{len(predictions)} predictions for {record.data.test_clips} test clips")
    unknown = sorted(set(predictions["subject"]) - set(record.data.test_subjects))
    if unknown:
        problems.append(f"predictions of subjects outside the test split: {', '.join(unknown)}")
    clips = frozenset(zip(predictions["clip_id"], predictions["label"].astype(int), strict=True))
    group = (record.cell.dataset, record.cell.profile, record.data.lighting, record.data.quarantine)
    first, same = known.setdefault(group, (folder.name, clips))
    if clips != same:
        problems.append(f"its test set is not that of {first} ({len(clips ^ same)} clips or labels differ)")
    return problems
