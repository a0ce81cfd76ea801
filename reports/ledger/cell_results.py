"""The result of each cell: which runs represent it, or why it has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.ledger.ancestry import synthetic_data
from harness.ledger.planfile import PlanFile, PlannedCell
from harness.ledger.record import RunRecord
from harness.ledger.store import Rejected
from harness.suite.cells import Cell, cell_id
from reports.format import count
from reports.ledger.adopted import adopted_runs
from reports.ledger.answers import Answers, outcomes_of
from reports.ledger.results import Result, Run
from reports.ledger.training import train_seconds
from reports.ledger.versions import Choice, State, answering, choose

OLDER = "of an older config, code or data than the last plan's (status --why says what differs)"
Planned = dict[int, list[PlannedCell]]  # seed -> what the last plans ask for


@dataclass(frozen=True)
class Runs:
    """The runs of one profile, and what belongs to them.

    Attributes:
        records: key -> record of every valid run. pages: key -> page.
        answers: key of a run that predicts -> which clips it has right.
        version: key -> see ``versions``.
        other_start: key -> see ``other_starts``.
        rejected: first 12 digits of the key of a record that was not trusted -> why.
    """

    records: Mapping[str, RunRecord]
    pages: Mapping[str, str]
    answers: Mapping[str, Answers]
    version: Mapping[str, str]
    other_start: Mapping[str, str]
    rejected: Mapping[str, str]


def reasons(rejected: Iterable[Rejected]) -> dict[str, str]:
    """First 12 digits of the key, as the name of the run's folder ends with them -> why its record is not trusted."""
    return {r.path.name[-12:]: r.reason for r in rejected}


def cell_results(plans: Iterable[PlanFile], suite: Mapping[str, Cell], runs: Runs) -> dict[str, Result]:
    """Cell id -> result, of every cell that was planned or has a run; those of the suite first, in its order."""
    planned: dict[str, Planned] = {}
    for plan in plans:
        for cell in plan.cells:
            planned.setdefault(cell.id, {}).setdefault(cell.seed, []).append(cell)
    by_cell = _by_cell(planned, suite, runs)
    order = [i for i in suite if i in planned or i in by_cell]
    order += [i for i in dict.fromkeys([*planned, *sorted(by_cell)]) if i not in suite]
    found = {i: _result(i, by_cell.get(i, []), planned.get(i, {}), suite.get(i), runs) for i in order}
    return {i: result for i, result in found.items() if result is not None}


def _by_cell(planned: Mapping[str, Planned], suite: Mapping[str, Cell], runs: Runs) -> dict[str, list[RunRecord]]:
    """The records that may represent each cell."""
    found: dict[str, list[RunRecord]] = {}
    of_model: dict[str, list[RunRecord]] = {}
    for record in runs.records.values():
        found.setdefault(cell_id(record.cell.model, record.cell.variant), []).append(record)
        of_model.setdefault(record.cell.model, []).append(record)
    for i, seeds in planned.items():  # equal keys are one run, recorded under the cell that asked first
        own = found.setdefault(i, [])
        asked = {c.key for cells in seeds.values() for c in cells if c.key in runs.records}
        own += [runs.records[key] for key in sorted(asked - {r.key for r in own})]
    for i, cell in suite.items():
        if i not in found and (same := answering(cell, of_model.get(cell.entry.name, []))):
            found[i] = same
    return {i: records for i, records in found.items() if records}


def _result(i: str, records: list[RunRecord], planned: Planned, declared: Cell | None, runs: Runs) -> Result | None:
    """The result of one cell; None where neither a plan nor a usable run has it."""
    keys = {c.key for cells in planned.values() for c in cells if c.key}
    choice = choose(records, keys, runs.version, runs.other_start) if records else Choice({}, "current")
    left_out = {r.key for r in choice.left_out}
    kept = {seed: [c for c in cells if c.key not in left_out] for seed, cells in planned.items()}
    planned = {seed: cells for seed, cells in kept.items() if cells}
    usable = {s for s, r in choice.runs.items() if r.status == "done" or choice.state != "older"}
    made = []
    for seed in sorted(planned.keys() | usable):
        cell = planned[seed][0] if seed in planned else _cell(i, choice.runs[seed], declared)
        made.append(_run(cell, planned.get(seed, []), choice, runs))
    return _put_together(i, tuple(made), choice, planned, runs) if made else None


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


def _run(cell: PlannedCell, planned: list[PlannedCell], choice: Choice, runs: Runs) -> Run:
    record = choice.runs.get(cell.seed)
    if record is not None and (record.status == "done" or choice.state != "older"):
        cell = cell.model_copy(update={"key": record.key})
        reason = "" if record.status == "done" else failure_line(record)
        return Run(
            cell,
            record.status,
            reason,
            record,
            runs.pages[record.key],
            synthetic_data(record.key, runs.records),
            adopted_runs(record.key, runs.records),
        )
    return _absent(planned, runs)


def _absent(planned: list[PlannedCell], runs: Runs) -> Run:
    """A cell at a seed of which the last plans have no run that is done."""
    status, reason = _without(planned, runs)
    cell = next((c for c in planned if c.key in runs.records), planned[0])
    return Run(cell, status, reason, runs.records.get(cell.key), runs.pages.get(cell.key, ""))


def _present(made: Iterable[Run], state: State, planned: Planned, runs: Runs) -> tuple[Run, ...]:
    """What became of what the last plans ask for, by seed: what is shown, unless it is of another version, or no plan
    could tell of which it is."""
    found = []
    for run in made:
        cells = planned.get(run.cell.seed, [])
        if run.status != "done" or run.cell.key in {c.key for c in cells} or (not cells and state != "older"):
            found.append(run)
        elif cells:
            found.append(_absent(cells, runs))
    return tuple(found)


def _without(planned: list[PlannedCell], runs: Runs) -> tuple[str, str]:
    """Why the last plans have no run of a cell at a seed: status and reason."""
    for cell in planned:
        if cell.key in runs.records:
            return "failed", failure_line(runs.records[cell.key])
    for cell in planned:
        if cell.key[:12] in runs.rejected:
            return "rejected", runs.rejected[cell.key[:12]]
    for cell in planned:
        if cell.error:
            return "blocked" if cell.key else "unplanned", cell.error
    return "missing", "no run in the ledger yet"


def failure_line(record: RunRecord) -> str:
    """Why a run failed, in one line."""
    f = record.failure
    return f"{f.kind.replace('_', ' ')}: {f.message}" if f else "no reason was recorded"


def _inits(records: Iterable[RunRecord], runs: Runs) -> list[str]:
    """Each ``--init`` that is not the default of these runs' profile."""
    return sorted({runs.other_start[r.key] for r in records if r.key in runs.other_start})


def _put_together(i: str, made: tuple[Run, ...], choice: Choice, planned: Planned, runs: Runs) -> Result:
    """A cell's runs over its seeds, with the notes that go with their number."""
    done = [r.record for r in made if r.status == "done" and r.record is not None]
    older = choice.state == "older" and bool(done)
    present = _present(made, choice.state, planned, runs)
    notes = []
    others = {r.record.cell.model for r in made if r.record is not None} - {made[0].cell.model}
    if others:
        notes.append(f"the same run as {' and '.join(sorted(others))}: nothing in which the configs differ counts")
    notes += [f"started otherwise than the profile does: --init {i}" for i in _inits(done, runs)]
    if left_out := [r for r in choice.left_out if r.status == "done"]:
        asked = " or ".join(_inits(left_out, runs))
        notes.append(f"{count(len(left_out), 'run')} with --init {asked} left out: not the start of the profile")
    if older:
        notes.append(OLDER)
        ended = [run for run in present if run.status != "missing"]
        notes += dict.fromkeys(f"the present one {run.status}: {run.reason}" for run in ended)
    nowhere = [cells for cells in planned.values() if not any(c.key for c in cells)]  # in no plan of several ledgers
    unplanned = {c.error for cells in nowhere for c in cells if c.error}
    if unplanned and done:
        notes.append(f"the last plan cannot tell whether it is up to date: {'; '.join(sorted(unplanned))}")
    answers = [runs.answers[r.key] for r in done if r.key in runs.answers]
    found = outcomes_of(answers) if answers else None
    if isinstance(found, str):
        notes.append(found)
        found = None
    untracked = sorted({name for r in done if r.metrics is not None for name in r.identity.untracked})
    notes += [f"code not tracked: {', '.join(untracked)}"] if untracked else []
    times = tuple(train_seconds(r.key, runs.records) for r in done if r.metrics is not None)
    return Result(i, made, found, "; ".join(notes), older, None, times, present=present)
