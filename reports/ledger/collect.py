"""The ledgers of a site, read whole: the runs of one profile, whichever plan they came from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from harness.ledger.ancestry import dependency_closure, synthetic_data
from harness.ledger.planfile import PlanFile, PlannedCell, read_plan
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import PLAN
from harness.ledger.store import Rejected, load_predictions, load_records
from harness.suite import Benchmark, Entry, expand
from harness.suite.cells import Cell, cell_id
from reports.ledger.privacy import Privacy, privacy
from reports.ledger.results import Result, Run, outcomes_of
from reports.ledger.versions import Choice, answering, choose, versions
from reports.stats import statistics as st

OLDER = "of an older config, code or data than the last plan's (status --why says what differs)"


@dataclass(frozen=True)
class WorkDir:
    """One ledger as it lies on disk. ``problem``: why its plan cannot be used, "" where there is none to mention."""

    path: Path
    plan: PlanFile | None
    problem: str
    records: dict[str, tuple[Path, RunRecord]]
    rejected: list[Rejected]


@dataclass(frozen=True)
class Ledger:
    """All runs of one profile.

    Attributes:
        plans: the last plan of each work dir that planned this profile.
        results: cell id -> result, for every cell that was planned or has a run, stages included.
        used_by: cell id -> tables and figures of the benchmark that ask for it.
        records: key -> folder and record of every valid run.
        pages: key of each of them -> its page.
        shown: keys that a result or one of its stages stands on; the others are of older versions.
        predictions: key of a run that predicts -> its clips in order of their id.
        training: data set -> how much accuracy varies between trainings.
        synthetic: key -> names of the synthetic data sets that the run or its stages saw, None where nothing is
            recorded.
    """

    profile: str
    work_dirs: tuple[Path, ...]
    plans: tuple[PlanFile, ...]
    results: dict[str, Result]
    used_by: dict[str, tuple[str, ...]]
    records: dict[str, tuple[Path, RunRecord]]
    pages: dict[str, str]
    shown: frozenset[str]
    predictions: dict[str, pd.DataFrame]
    training: dict[str, st.Training]
    synthetic: dict[str, tuple[str, ...] | None]
    rejected: list[Rejected]
    problems: list[str]  # plans that could not be used
    privacy: Privacy

    @property
    def runs(self) -> list[Run]:
        """What tables and figures ask for: each cell at each seed."""
        return [run for i, result in self.results.items() if self.used_by.get(i) for run in result.runs]

    @property
    def names(self) -> list[str]:
        """The ledgers by the names of their folders, with those that these lie in where two have the same."""
        places = [w.resolve().parts for w in self.work_dirs]
        last = [p[-1] for p in places]
        named = ["/".join(p[-2:]) if last.count(p[-1]) > 1 else p[-1] for p in places]
        return [self.privacy.text(name) for name in named]

    @property
    def stages(self) -> list[str]:
        """Keys of shown runs that no table asks for itself."""
        asked = {run.record.key for run in self.runs if run.record is not None}
        return [key for key in self.pages if key in self.shown and key not in asked]

    @cached_property
    def shown_records(self) -> list[RunRecord]:
        """The runs that the pages' numbers stand on, in the order of their pages."""
        keys = sorted(self.shown, key=lambda k: self.pages[k])
        return [self.records[k][1] for k in keys]

    @property
    def seeds(self) -> int:
        """Seeds that were run or planned, from 0 on."""
        return max((run.cell.seed + 1 for run in self.runs), default=0)

    @property
    def tables(self) -> set[str]:
        """Tables, figures and grids that a plan asked for, or all of whose cells have a run."""
        asked = {t for plan in self.plans for t in plan.tables}
        users: dict[str, list[bool]] = {}
        for i, names in self.used_by.items():
            for name in names:
                users.setdefault(name, []).append(i in self.results)
        return asked | {name for name, there in users.items() if all(there)}


def read_work_dir(path: Path) -> WorkDir:
    """Plan and records of a work dir. A bad record is no error; it is listed. So is a plan that cannot be read."""
    plan, problem = None, ""
    try:
        plan = read_plan(Path(path) / PLAN)
    except FileNotFoundError:
        pass
    except ValueError as e:
        problem = str(e)
    records, rejected = load_records(path)
    return WorkDir(Path(path), plan, problem, records, rejected)


def profiles_of(work_dirs: Sequence[WorkDir]) -> list[str]:
    """Profiles that were planned or run: that of the first plan, then those with most runs.

    Raises:
        FileNotFoundError, ValueError: nothing was planned or run; one line.
    """
    counts = Counter(r.cell.profile for w in work_dirs for _, r in w.records.values())
    counts.update({w.plan.profile: 0 for w in work_dirs if w.plan is not None})
    first = next((w.plan.profile for w in work_dirs if w.plan is not None), None)
    found = sorted(counts, key=lambda p: (p != first, -counts[p], p))
    if not found:
        problem = next((w.problem for w in work_dirs if w.problem), "")
        if problem:
            raise ValueError(problem)
        raise FileNotFoundError(
            f"{work_dirs[0].path}: nothing planned here yet; run `python -m harness plan` or `run-all` first"
        )
    return found


def make_ledger(
    work_dirs: Sequence[WorkDir], profile: str, benchmark: Benchmark, entries: Mapping[str, Entry]
) -> Ledger:
    """Results of a profile from whole ledgers. A run that lies in several of them counts once, the newest of it."""
    raw = _records(work_dirs, profile)
    own = _privacy(work_dirs)
    version = versions({key: record for key, (_, record) in raw.items()})
    records = {key: (folder, own.record(record)) for key, (folder, record) in raw.items()}
    known = {key: record for key, (_, record) in records.items()}
    plans = tuple(_public(w.plan, own) for w in work_dirs if w.plan is not None and w.plan.profile == profile)
    rejected = [Rejected(r.path, own.text(r.reason)) for w in work_dirs for r in w.rejected]
    suite = _suite(benchmark, entries, profile)
    pages = {key: f"runs/{slug(records[key][0])}.html" for key in sorted(records)}
    predictions = {
        key: load_predictions(records[key][0]).sort_values("clip_id", ignore_index=True)
        for key in sorted(records)
        if known[key].metrics is not None
    }
    results = _results(plans, suite, known, version, rejected, pages, predictions)
    training = _training(results, benchmark, profile)
    results = {i: replace(r, training=training.get(r.runs[0].cell.dataset)) for i, r in results.items()}
    chosen = {run.record.key for r in results.values() for run in r.runs if run.record is not None}
    shown = chosen.union(*(dependency_closure(key, known) for key in chosen))
    return Ledger(
        profile=profile,
        work_dirs=tuple(w.path for w in work_dirs),
        plans=plans,
        results=results,
        used_by={i: c.used_by for i, c in suite.items()},
        records=records,
        pages=pages,
        shown=frozenset(shown & records.keys()),
        predictions=predictions,
        training=training,
        synthetic={key: synthetic_data(key, known) for key in records},
        rejected=rejected,
        problems=[own.text(w.problem) for w in work_dirs if w.problem],
        privacy=own,
    )


def slug(directory: Path) -> str:
    """The name of a run's page: that of its folder, with nothing that a URL would have to quote."""
    return re.sub(r"[^A-Za-z0-9._=-]", "_", Path(directory).name)


def failure_line(record: RunRecord) -> str:
    """Why a run failed, in one line."""
    f = record.failure
    return f"{f.kind.replace('_', ' ')}: {f.message}" if f else "no reason was recorded"


def _privacy(work_dirs: Sequence[WorkDir]) -> Privacy:
    """What is not to be shown, from all texts in which something may be named."""
    texts = [r.reason for w in work_dirs for r in w.rejected] + [w.problem for w in work_dirs]
    texts += [c.error for w in work_dirs if w.plan is not None for c in w.plan.cells]
    for w in work_dirs:
        for _, r in w.records.values():
            texts += [*r.notes, r.command, r.adopted, *(w.file for w in r.pretrained)]
            texts += [r.failure.message, *r.failure.log_tail] if r.failure is not None else []
    return privacy([w.path for w in work_dirs], texts)


def _public(plan: PlanFile, own: Privacy) -> PlanFile:
    return plan.model_copy(update={"cells": [c.model_copy(update={"error": own.text(c.error)}) for c in plan.cells]})


def _records(work_dirs: Sequence[WorkDir], profile: str) -> dict[str, tuple[Path, RunRecord]]:
    found: dict[str, tuple[Path, RunRecord]] = {}
    for w in work_dirs:
        for key, (folder, record) in w.records.items():
            other = found.get(key)
            age = (record.status == "done", record.finished)
            if record.cell.profile == profile and (
                other is None or age > (other[1].status == "done", other[1].finished)
            ):
                found[key] = (folder, record)
    return found


def _suite(benchmark: Benchmark, entries: Mapping[str, Entry], profile: str) -> dict[str, Cell]:
    """Every cell of the benchmark at a profile by id, those of optional tables included."""
    every = [t.id for t in benchmark.tables] + [f.id for f in benchmark.figures]
    every += [f.grid.id for f in benchmark.figures if f.grid is not None]
    return {c.id: c for c in expand(benchmark, dict(entries), profile, every, 1)}


def _results(plans, suite, known, version, rejected, pages, predictions) -> dict[str, Result]:
    planned: dict[str, dict[int, list[PlannedCell]]] = {}
    for plan in plans:
        for cell in plan.cells:
            planned.setdefault(cell.id, {}).setdefault(cell.seed, []).append(cell)
    by_cell: dict[str, list[RunRecord]] = {}
    for record in known.values():
        by_cell.setdefault(cell_id(record.cell.model, record.cell.variant), []).append(record)
    for i, seeds in planned.items():  # equal keys are one run, recorded under the cell that asked first
        for key in {c.key for cells in seeds.values() for c in cells if c.key in known}:
            if all(r.key != key for r in by_cell.setdefault(i, [])):
                by_cell[i].append(known[key])
    for i, cell in suite.items():
        if i not in by_cell and (same := answering(cell, known.values())):
            by_cell[i] = same
    refused = {r.path.name[-12:]: r.reason for r in rejected}
    order = [i for i in suite if i in planned or i in by_cell]
    order += [i for i in dict.fromkeys([*planned, *sorted(by_cell)]) if i not in suite]
    made = {}
    for i in order:
        seeds = planned.get(i, {})
        keys = {c.key for cells in seeds.values() for c in cells if c.key}
        choice = choose(by_cell[i], keys, version) if i in by_cell else Choice({}, "current", 0)
        runs = []
        usable = {s for s, r in choice.runs.items() if r.status == "done" or choice.state != "older"}
        for seed in sorted(seeds.keys() | usable):
            cell = seeds[seed][0] if seed in seeds else _cell(i, choice.runs[seed], suite.get(i))
            runs.append(_run(cell, seeds.get(seed, []), choice, known, refused, pages))
        if runs:
            made[i] = _result(i, tuple(runs), choice, seeds, known, refused, predictions)
    return made


def _cell(i: str, record: RunRecord, declared: Cell | None) -> PlannedCell:
    """A cell that the last plan did not ask for, from its record."""
    c = record.cell
    return PlannedCell(
        id=i,
        model=c.model,
        method=c.method,
        title=declared.entry.title if declared else c.method,
        dataset=c.dataset,
        stage=c.stage,
        train_modalities=c.train_modalities,
        test_modality=c.test_modality,
        variant=declared.variant if declared else c.variant,
        overrides=declared.overrides if declared else c.overrides,
        seed=c.seed,
        key=record.key,
        used_by=list(declared.used_by) if declared else [],
    )


def _run(cell, planned, choice: Choice, known, refused, pages) -> Run:
    record = choice.runs.get(cell.seed)
    if record is not None and (record.status == "done" or choice.state != "older"):
        cell = cell.model_copy(update={"key": record.key})
        reason = "" if record.status == "done" else failure_line(record)
        return Run(cell, record.status, reason, record, pages[record.key], synthetic_data(record.key, known))
    status, reason = _without(planned, known, refused)
    failed = known.get(cell.key)
    return Run(cell, status, reason, failed, pages.get(cell.key, "") if failed else "")


def _without(planned: list[PlannedCell], known, refused) -> tuple[str, str]:
    """Why the last plans have no run of a cell at a seed: status and reason."""
    for cell in planned:
        if cell.key in known:
            return "failed", failure_line(known[cell.key])
    for cell in planned:
        if cell.key[:12] in refused:
            return "rejected", refused[cell.key[:12]]
    for cell in planned:
        if cell.error:
            return "blocked" if cell.key else "unplanned", cell.error
    return "missing", "no run in the ledger yet"


def _result(i, runs, choice: Choice, seeds, known, refused, predictions) -> Result:
    older = choice.state == "older" and any(r.status == "done" for r in runs)
    notes = []
    others = {r.record.cell.model for r in runs if r.record is not None} - {runs[0].cell.model}
    if others:
        notes.append(f"the same run as {' and '.join(sorted(others))}: nothing in which the configs differ counts")
    if older:
        notes.append(OLDER)
        present = [_without(cells, known, refused) for cells in seeds.values()]
        notes += dict.fromkeys(f"the present one {status}: {why}" for status, why in present if status != "missing")
    unplanned = {c.error for cells in seeds.values() for c in cells if not c.key and c.error}
    if unplanned and any(r.status == "done" for r in runs):
        notes.append(f"the last plan cannot tell whether it is up to date: {'; '.join(sorted(unplanned))}")
    tables = [predictions[r.record.key] for r in runs if r.status == "done" and r.record.key in predictions]
    found = outcomes_of(tables) if tables else None
    if isinstance(found, str):
        notes.append(found)
        found = None
    done = [r.record for r in runs if r.status == "done" and r.record.metrics is not None]
    untracked = sorted({name for record in done for name in record.identity.untracked})
    notes += [f"code not tracked: {', '.join(untracked)}"] if untracked else []
    return Result(i, runs, found, "; ".join(notes), older, None, tuple(train_seconds(r.key, known) for r in done))


def train_seconds(key: str, known: Mapping[str, RunRecord]) -> float | None:
    """Seconds that training took, a run's own and those of every stage that it stands on, each stage once; a rendering
    counts with all of its time. None where one of them is not known."""
    total = 0.0
    for k in (key, *dependency_closure(key, known)):
        if k not in known:
            return None
        cost, renders = known[k].cost, known[k].kind == "render"
        seconds = 0.0 if renders and k == key else cost.total_seconds if renders else cost.train_seconds
        if seconds is None:
            return None
        total += seconds
    return total


def _training(results: dict[str, Result], benchmark: Benchmark, profile: str) -> dict[str, st.Training]:
    """Per data set: from the cells that were trained more than once, or else as the benchmark declares."""
    found: dict[str, st.Training] = {}
    for dataset, declared in benchmark.datasets.items():
        repeats, seen = [], set()
        for r in results.values():
            keys = frozenset(x.key for x in r.done)
            if r.runs[0].cell.dataset == dataset and len(keys) > 1 and keys not in seen:
                seen.add(keys)
                repeats.append([x.metrics.top1 for x in r.done])
        stated = declared.training_std.get(profile)
        if repeats:
            found[dataset] = st.pooled(repeats)
        elif stated is not None:
            found[dataset] = st.Training(stated.points / 100, stated.freedom, 0, stated.source)
    return found
