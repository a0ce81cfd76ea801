"""The ledgers of a site, read whole: the runs of one profile, whichever plan they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from harness.ledger.ancestry import dependency_closure, synthetic_data
from harness.ledger.planfile import PlanFile
from harness.ledger.record import NO_START, RunRecord
from harness.ledger.store import Rejected
from harness.suite import Benchmark, Entry, expand
from harness.suite.cells import Cell
from reports.format import slug
from reports.ledger.answers import Answers, ClipList, answers_of
from reports.ledger.cell_results import Runs, cell_results, reasons
from reports.ledger.kinds import clip_names
from reports.ledger.privacy import Privacy, privacy
from reports.ledger.results import Result, Run
from reports.ledger.shared import Shared
from reports.ledger.starts import other_starts
from reports.ledger.training import by_kind
from reports.ledger.versions import versions
from reports.ledger.work_dir import Repeated, WorkDir, newest_records, repeated
from reports.stats.training import Training


@dataclass(frozen=True)
class Ledger:
    """All runs of one profile.

    Attributes:
        plans: the last plan of each work dir that planned this profile.
        results: cell id -> result, for every cell that was planned or has a run, stages included.
        used_by: cell id -> tables and figures of the benchmark that ask for it; not of what the profile leaves out,
            unless it was planned or run.
        records: key -> folder and record of every valid run; without epochs, see ``Shared``.
        pages: key of each of them -> its page.
        shown: keys of the runs behind a result, stages included; the others are of older versions.
        answers: key of a run that predicts -> which clips it has right.
        trainings: of synthetic clips (True) and of others: data set -> how much accuracy varies between trainings.
        other_start: key of a run that did not start as its profile does -> the ``--init`` it was made with.
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
    answers: dict[str, Answers]
    trainings: dict[bool, dict[str, Training]]
    other_start: dict[str, str]
    synthetic: dict[str, tuple[str, ...] | None]
    rejected: list[Rejected]
    problems: list[str]  # plans that could not be used
    repeated: list[Repeated]
    privacy: Privacy

    @cached_property
    def runs(self) -> list[Run]:
        """What tables and figures ask for: each cell at each seed."""
        return [run for i, result in self.results.items() if self.used_by.get(i) for run in result.runs]

    @property
    def names(self) -> list[str]:
        """The ledgers by the names of their folders, with a number where several have the same: the folder above is
        often a user's."""
        last = [self.privacy.text(w.resolve().name) for w in self.work_dirs]
        return [f"{x} ({last[: i + 1].count(x)})" if last.count(x) > 1 else x for i, x in enumerate(last)]

    @cached_property
    def present_runs(self) -> list[Run]:
        """What became of them: as ``runs``, but where these are older, what the last plan asks for instead."""
        return [run for i, result in self.results.items() if self.used_by.get(i) for run in result.present]

    @cached_property
    def _asked(self) -> list[Result]:
        """Results that belong to tables and figures that were asked for; all, where there is no plan."""
        used = {i: r for i, r in self.results.items() if self.used_by.get(i)}
        return [r for i, r in used.items() if not self.plans or self.tables.intersection(self.used_by[i])]

    @property
    def rejected_by_name(self) -> dict[str, int]:
        """By the names of the ledgers, how many records are not trusted; those that have none are left out."""
        counts = [sum(r.path.is_relative_to(w) for r in self.rejected) for w in self.work_dirs]
        return {name: n for name, n in zip(self.names, counts, strict=True) if n}

    @cached_property
    def asked_runs(self) -> list[Run]:
        """Those of ``runs`` that belong to them."""
        return [run for result in self._asked for run in result.runs]

    @cached_property
    def asked_present_runs(self) -> list[Run]:
        """Those of ``present_runs`` that belong to them."""
        return [run for result in self._asked for run in result.present]

    @cached_property
    def training(self) -> dict[str, Training]:
        """Data set -> how much accuracy varies between trainings, on synthetic clips where some are."""
        return self.trainings[False] | self.trainings[True]

    def training_of(self, record: RunRecord) -> Training | None:
        """The same of the clips of a run."""
        made = record.data is not None and record.data.synthetic
        return self.trainings[made].get(record.cell.dataset)

    @cached_property
    def shown_records(self) -> list[RunRecord]:
        """The runs behind the numbers of the pages, in the order of their pages."""
        keys = sorted(self.shown, key=lambda k: self.pages[k])
        return [self.records[k][1] for k in keys]

    @cached_property
    def shown_of(self) -> dict[str, list[RunRecord]]:
        """Model -> its runs among ``shown_records``."""
        found: dict[str, list[RunRecord]] = {}
        for record in self.shown_records:
            found.setdefault(record.cell.model, []).append(record)
        return found

    @cached_property
    def asked_for_weights(self) -> bool:
        """Whether one of them was asked to have starting weights."""
        return any(r.pretrained or NO_START in r.notes for r in self.shown_records)

    @cached_property
    def older(self) -> frozenset[str]:
        """Keys of the runs of results that are not of the config, code and data that the last plan asks for."""
        runs = [run for r in self.results.values() if r.older for run in r.runs if run.status == "done"]
        return frozenset(run.record.key for run in runs if run.record is not None) - self.planned

    @cached_property
    def planned(self) -> frozenset[str]:
        """Keys of the runs that the last plans ask for, and of their stages, as far as they have a record."""
        known = {key: record for key, (_, record) in self.records.items()}
        own = {c.key for plan in self.plans for c in plan.cells} & known.keys()
        return frozenset(own.union(*(dependency_closure(key, known) for key in own))) & known.keys()

    @cached_property
    def on_tables(self) -> frozenset[str]:
        """Keys of the runs that tables and figures show a number of."""
        return frozenset(run.cell.key for run in self.runs) & self.shown

    @cached_property
    def seeds(self) -> int:
        """Seeds that were run or planned, from 0 on."""
        return max((run.cell.seed + 1 for run in self.runs), default=0)

    @cached_property
    def seeds_text(self) -> str:
        """How many seeds cells were run or planned at: ``3``, or ``1 to 3`` where they differ."""
        found = {len(result.runs) for i, result in self.results.items() if self.used_by.get(i)}
        return " to ".join(map(str, sorted({min(found, default=0), max(found, default=0)})))

    @cached_property
    def tables(self) -> set[str]:
        """Tables, figures and grids that a plan asked for, or all of whose cells have a run."""
        asked = {t for plan in self.plans for t in plan.tables}
        users: dict[str, list[bool]] = {}
        for i, names in self.used_by.items():
            for name in names:
                users.setdefault(name, []).append(i in self.results)
        return asked | {name for name, there in users.items() if all(there)}

    @cached_property
    def _of_asked(self) -> frozenset[str]:
        """Keys of the runs of tables and figures that were asked for, and of their stages."""
        known = {key: record for key, (_, record) in self.records.items()}
        asked = [r for i, r in self.results.items() if self.tables.intersection(self.used_by.get(i, ()))]
        own = {run.cell.key for r in asked for run in r.runs if run.cell.key in known}
        return frozenset(own.union(*(dependency_closure(key, known) for key in own)))

    def has_own_runs(self, name: str) -> bool:
        """Whether a table or figure has a run that none that was asked for brought: its rows may be some of another."""
        own = (r for i, r in self.results.items() if name in self.used_by.get(i, ()))
        return any(run.record is not None and run.record.key not in self._of_asked for r in own for run in r.runs)


def make_ledger(
    work_dirs: Sequence[WorkDir],
    profile: str,
    benchmark: Benchmark,
    entries: Mapping[str, Entry],
    own: Privacy | None = None,
) -> Ledger:
    """Results of a profile from whole ledgers. A run that lies in several of them counts once, the newest of it.

    Args:
        own: ``privacy_of`` the work dirs. With it the records of the profile are taken out of them: as read and as
            shown to everybody they need twice the memory.
    """
    twice = repeated(work_dirs, profile)
    raw = newest_records(work_dirs, profile)
    for w in work_dirs if own is not None else ():
        for key in raw.keys() & w.records.keys():
            del w.records[key]
    own = own or privacy_of(work_dirs)
    plain = {key: record for key, (_, record) in raw.items()}
    version, other_start = versions(plain), other_starts(plain, entries)
    del plain
    shared = Shared()
    records: dict[str, tuple[Path, RunRecord]] = {}
    for key in list(raw):
        folder, record = raw.pop(key)
        records[key] = folder, shared(own.record(record))
    rejected = [Rejected(r.path, own.text(r.reason)) for w in work_dirs for r in w.rejected]
    runs = _runs(records, version, other_start, rejected)
    plans = tuple(_public(w.plan, own) for w in work_dirs if w.plan is not None and w.plan.profile == profile)
    suite = _suite(benchmark, entries, profile)
    results = cell_results(plans, suite, runs)
    training = by_kind(results, benchmark, profile)
    named = clip_names(benchmark, [r for i, r in results.items() if i in suite])
    results = _with_kinds(results, training, named)
    chosen = {run.record.key for r in results.values() for run in r.runs if run.record is not None}
    shown = chosen.union(*(dependency_closure(key, runs.records) for key in chosen))
    return Ledger(
        profile=profile,
        work_dirs=tuple(w.path for w in work_dirs),
        plans=plans,
        results=results,
        used_by={i: c.used_by for i, c in suite.items() if i in results or profile not in c.entry.optional_at},
        records=records,
        pages=dict(runs.pages),
        shown=frozenset(shown & records.keys()),
        answers=dict(runs.answers),
        trainings={kind: found for kind, (_, found) in training.items()},
        other_start=dict(runs.other_start),
        synthetic={key: synthetic_data(key, runs.records) for key in records},
        rejected=rejected,
        problems=[own.text(w.problem) for w in work_dirs if w.problem],
        repeated=twice,
        privacy=own,
    )


def _with_kinds(
    results: Mapping[str, Result],
    training: Mapping[bool, tuple[frozenset[str], dict[str, Training]]],
    clips: Mapping[str, str],
) -> dict[str, Result]:
    """Results with how trainings vary on clips of their kind, and what these are called where there are several."""
    own = {i: found for ids, found in training.values() for i in ids}
    return {
        i: replace(r, training=own[i].get(r.runs[0].cell.dataset), clips=clips.get(i, "")) for i, r in results.items()
    }


def _runs(
    records: dict[str, tuple[Path, RunRecord]],
    version: Mapping[str, str],
    other_start: Mapping[str, str],
    rejected: list[Rejected],
) -> Runs:
    known = {key: record for key, (_, record) in records.items()}
    pages = {key: f"runs/{slug(records[key][0].name)}.html" for key in sorted(records)}
    tests: dict[str, ClipList] = {}
    answers = {
        key: answers_of(folder, record, tests)
        for key, (folder, record) in sorted(records.items())
        if record.metrics is not None
    }
    return Runs(known, pages, answers, version, other_start, reasons(rejected))


def privacy_of(work_dirs: Sequence[WorkDir]) -> Privacy:
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


def _suite(benchmark: Benchmark, entries: Mapping[str, Entry], profile: str) -> dict[str, Cell]:
    """Every cell of the benchmark at a profile by id, those of optional tables included."""
    every = [t.id for t in benchmark.tables] + [f.id for f in benchmark.figures]
    every += [f.grid.id for f in benchmark.figures if f.grid is not None]
    return {c.id: c for c in expand(benchmark, dict(entries), profile, every, 1, all_methods=True)}
