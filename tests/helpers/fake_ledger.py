"""A made-up ledger: every number here is fake and only shows how pages treat numbers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from harness.ledger.planfile import PlanFile, PlannedCell, write_plan
from harness.ledger.record import CellInfo, Cost, DataInfo, Epoch, Failure, Identity, RunRecord
from harness.suite import Benchmark, Cell, Entry, expand
from harness.suite.cells import cell_id
from tests.helpers.sound_run import write_run

CLASSES = {
    "mgr_dark": [f"fake gesture {i}" for i in range(10)],
    "nvgesture": [f"fake sign {i}" for i in range(25)],
}
SUBJECTS = {"mgr_dark": [str(s) for s in range(17, 22)], "nvgesture": ["5", "8", "9", "13", "14", "20"]}
MODALITY_SKILL = {"rgb": 0.2, "depth": 0.9, "ir": 1.6, "pseudo_ir": 0.1, "rgb+depth": 1.1}


def fake_key(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def _rng(*parts: object) -> np.random.Generator:
    return np.random.default_rng(int(fake_key(*parts)[:12], 16))


def fake_predictions(
    dataset: str, skill: float, seed: int, name: str, takes: int, lighting: str = "dark"
) -> pd.DataFrame:
    """Clips have a difficulty and people an effect that all fake methods share,
    so that methods agree as real ones do.
    """
    classes, subjects = CLASSES[dataset], SUBJECTS[dataset]
    clips = [(s, c, t) for s in subjects for c in range(len(classes)) for t in range(takes)]
    shared = _rng(dataset, "difficulty")
    people = dict(zip(subjects, shared.normal(0, 0.4, len(subjects)), strict=True))
    difficulty = shared.normal(0, 1.0, len(clips)) + [people[s] for s, _, _ in clips]
    own = _rng(name, seed)
    table = []
    for (subject, label, take), hard in zip(clips, difficulty, strict=True):
        scores = own.normal(0, 0.25, len(classes))
        wrong = (label + 1 + int(3 * own.random())) % len(classes)
        scores[wrong] += 1.0
        scores[label] += 1.0 + skill - hard + own.normal(0, 0.5)
        scores = np.exp(scores) / np.exp(scores).sum()
        table.append((f"{lighting}_s{subject}_g{label:02d}_{take}", subject, label, scores.astype(np.float32)))
    return pd.DataFrame(table, columns=["clip_id", "subject", "label", "scores"])


def fake_record(
    cell: CellInfo, parents: dict[str, str] | None = None, epochs: int = 12, synthetic: bool = True
) -> RunRecord:
    """A record with made-up costs and curves; ``save`` gives it its key."""
    losses = [2.3 * np.exp(-e / 5) + 0.1 for e in range(epochs)]
    terms = (
        {"loss_cls": 1.0, "loss_kd_fusion": 0.4, "loss_kd_ir": 0.2} if cell.stage == "student" else {"loss_cls": 1.0}
    )
    return RunRecord(
        key="",
        status="done",
        cell=cell,
        identity=Identity(
            version=1,
            seed=cell.seed,
            parents=parents or {},
            code={"mtcd_plugin.models": fake_key("code")},
            data={"train": fake_key(cell.dataset, "train"), "test": fake_key(cell.dataset, "test")},
            config={
                "profile": cell.profile,
                "model": {
                    "type": "FakeRecognizer",
                    "note": "<b>&amp; every string is escaped",
                    "of": [cell.model, cell.variant],
                },
                "train_dataloader": {
                    "batch_size": 16,
                    "dataset": {
                        "type": "FakeDataset",
                        "pipeline": [
                            {"type": "SampleClipFrames", "clip_len": 16},
                            {"type": "LoadModalities", "size": [64, 64]},
                            {"type": "RandomCrop", "size": 56},
                        ],
                    },
                },
                "train_cfg": {"type": "EpochBasedTrainLoop", "max_epochs": epochs},
                "optim_wrapper": {"optimizer": {"type": "AdamW", "lr": 0.002}},
                "param_scheduler": [{"type": "OneCycleLR"}],
            },
        ),
        epochs=[
            Epoch(
                epoch=e + 1,
                loss=sum(terms.values()) * losses[e],
                losses={t: w * losses[e] for t, w in terms.items()},
                train_top1=min(1.0, 0.1 + 0.07 * e),
                lr=0.002 * (1 - e / epochs),
                seconds=3.0,
            )
            for e in range(epochs)
        ],
        data=DataInfo(
            name="MGR-Dark" if cell.dataset == "mgr_dark" else "NvGesture",
            synthetic=synthetic,
            fingerprint=fake_key(cell.dataset),
            classes=CLASSES[cell.dataset],
            train_clips=640,
            test_clips=200,
            train_subjects=[str(s) for s in range(1, 17) if str(s) not in SUBJECTS[cell.dataset]],
            test_subjects=SUBJECTS[cell.dataset],
            lighting="dark" if cell.dataset == "mgr_dark" else "",
        ),
        cost=Cost(
            params=1_234_567,
            flops=2_345_678_901,
            input_shape=[3, 16, 56, 56],
            train_seconds=36.5,
            test_seconds=2.25,
            total_seconds=41.0,
            data_time_share=0.12,
            peak_memory_bytes=700 * 2**20,
        ),
        environment={"python": "3.11", "torch": "fake"},
        hardware={"cpu": "a fake processor", "cores": "2"},
        commit="c0ffee" * 6 + "c0ff",
        command=f"python -m harness run --cell {cell_id(cell.model, cell.variant)} --seed {cell.seed}",
        started="2024-07-20T10:00:00Z",
        finished="2024-07-20T10:00:41Z",
        notes=["these numbers are fake"],
    )


def save(work_dir: Path, record: RunRecord, predictions: pd.DataFrame | None) -> RunRecord:
    """Write a run as the harness does; returns its record, which has the key of its identity."""
    return write_run(work_dir, record, predictions)[1]


def write_fake_ledger(
    work_dir: Path,
    benchmark: Benchmark,
    entries: dict[str, Entry],
    profile: str = "demo",
    seeds: int = 1,
    takes: int = 4,
    failed: dict[tuple[str, int], Failure] | None = None,
    missing: set[tuple[str, int]] = frozenset(),
    errors: dict[tuple[str, int], str] | None = None,
    tables: list[str] | None = None,
    synthetic: bool = True,
) -> None:
    """Answer every cell of the benchmark with fake numbers, except those that are named as failed,
    missing or in error.
    """
    failed, errors = failed or {}, errors or {}
    planned = []
    for cell in expand(benchmark, entries, profile, tables, seeds):
        e = cell.entry
        where = (cell.id, cell.seed)
        key = "" if where in errors else fake_key(cell.id, cell.seed, profile)
        if where not in missing and where not in errors:
            key = _run(work_dir, cell, profile, takes, failed.get(where), synthetic).key
        planned.append(
            PlannedCell(
                id=cell.id,
                model=e.name,
                method=e.method,
                title=e.title,
                dataset=e.dataset,
                stage=e.stage,
                train_modalities=list(e.train_modalities),
                test_modality=e.test_modality,
                variant=cell.variant,
                overrides=cell.overrides,
                seed=cell.seed,
                key=key,
                error=errors.get(where, ""),
                used_by=list(cell.used_by),
            )
        )
    shown = tables or [t.id for t in benchmark.tables] + [f.id for f in benchmark.figures]
    write_plan(
        work_dir / "plan.json",
        PlanFile(profile=profile, tables=shown, seeds=seeds, commit="c0ffee" * 6 + "c0ff", cells=planned),
    )


def _run(work_dir: Path, cell: Cell, profile: str, takes: int, failure: Failure | None, synthetic: bool) -> RunRecord:
    e = cell.entry
    info = CellInfo(
        model=e.name,
        method=e.method,
        stage=e.stage,
        dataset=e.dataset,
        train_modalities=list(e.train_modalities),
        test_modality=e.test_modality,
        variant=cell.variant,
        overrides=cell.overrides,
        seed=cell.seed,
        profile=profile,
    )
    parents = {}
    if e.stage == "student":
        parents = {s: _parent(work_dir, info, s, synthetic) for s in ("teacher", "assistant")}
    record = fake_record(info, parents, synthetic=synthetic)
    if failure is not None:
        return save(work_dir, record.model_copy(update={"status": "failed", "failure": failure, "epochs": []}), None)
    skill = MODALITY_SKILL[e.test_modality] + {"student": 0.5}.get(e.stage, 0.0) + _rng(e.method).normal(0, 0.4)
    skill += sum(0.25 - (float(v) - 0.7) ** 2 / 4 for v in cell.overrides.values() if isinstance(v, float))
    lighting = "daylight" if "daylight" in e.name else "dark"
    return save(work_dir, record, fake_predictions(e.dataset, skill, cell.seed, cell.id, takes, lighting))


def _parent(work_dir: Path, child: CellInfo, stage: str, synthetic: bool) -> str:
    """A fake teacher or assistant of a student, written once."""
    modality = {"teacher": "ir", "assistant": "pseudo_ir"}[stage]
    info = child.model_copy(
        update={
            "model": f"fake_{stage}_{child.dataset}",
            "stage": stage,
            "train_modalities": [modality],
            "test_modality": modality,
            "variant": "",
            "overrides": {},
        }
    )
    record = fake_record(info, {"translator": _translator(work_dir, info)}, synthetic=synthetic)
    return save(work_dir, record, fake_predictions(child.dataset, 1.2, child.seed, info.model, 2)).key


def _translator(work_dir: Path, child: CellInfo) -> str:
    """A fake stage that predicts no class, with no more than a record must have."""
    info = child.model_copy(update={"model": "fake_translator", "stage": "translator"})
    identity = Identity(version=1, config={"of": "fake_translator"}, data={}, parents={}, code={}, seed=info.seed)
    record = RunRecord(
        key="", status="done", kind="render", cell=info, identity=identity, measurements={"fake_flicker": 0.125}
    )
    return save(work_dir, record, None).key
