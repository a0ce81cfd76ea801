"""The first page: the state of the ledger, a card for each page that has one, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.ledger.ancestry import dependency_closure
from harness.suite.cells import cell_id
from reports import format as f
from reports.ledger.adopted import MARK
from reports.ledger.context import ReportContext
from reports.ledger.marks import OLDER_MARK
from reports.ledger.results import STATUS, Run
from reports.ledger.running import RUNNING
from reports.ledger.work_dir import Repeated
from reports.page import Page, View
from reports.tables.table import Link

NAMED = 3  # of runs that came out differently; of more it says how many


def build(context: ReportContext) -> Iterator[Page]:
    source = next(iter(context.benchmark.sources.values()), None)
    tally = [
        {"status": s, "n": n, "text": STATUS[s] if s != "blocked" else "blocked by a failure"}
        for s, n in context.tally.items()
        if n or s in ("done", "failed", "missing")
    ]
    gaps, waiting = _gaps(context)
    yield Page(
        "index.html",
        "index.html.j2",
        {
            "paper": Link(source.title if source else "", source.url if source else ""),
            "tally": tally,
            "summary": _summary(context),
            "other_commits": [f.short_commit(c) for c in context.commits] if len(context.commits) > 1 else [],
            "command": context.command,
            "ledgers": len(context.ledger.work_dirs),
            "gaps": gaps,
            "waiting": waiting,
            "rejected": [r.reason for r in context.ledger.rejected] + context.ledger.problems,
            "sources": _sources(context),
            "adopted": _adopted(context),
        },
    )


def _summary(context: ReportContext) -> str:
    """How many runs there are, each number with its word."""
    ledger = context.ledger
    asked, cells = sum(context.tally.values()), len(ledger.asked_present_runs)
    text = f"Tables and figures ask for {f.count(asked, 'run')}"
    if cells != asked:
        text += f" ({cells} cells and seeds, some of which share one)"
    text += f"; {f.count(context.tally['done'], 'is', 'are')} done."
    text += "".join(f" {sentence}" for sentence in _beside(context))
    unusual = len(ledger.other_start.keys() - ledger.shown)
    older = len(ledger.records.keys() - ledger.shown - ledger.planned - ledger.other_start.keys())
    if older:
        is_ = "is" if older == 1 else "are"
        text += f" {f.count(older, 'run')} of an older config, code or data {is_} listed and not counted."
    if unusual:
        inits = " or ".join(sorted(set(ledger.other_start.values())))
        is_ = "is" if unusual == 1 else "are"
        text += f" {f.count(unusual, 'run')} with --init {inits} {is_} listed and not counted: not the profile's start."
    return text


def _beside(context: ReportContext) -> Iterator[str]:
    """What these pages show beside what was asked for: stages, runs of other tables, and runs without a config."""
    ledger, entries = context.ledger, context.entries
    known = {key: record for key, (_, record) in ledger.records.items()}
    asked = {run.record.key for run in ledger.asked_runs if run.record is not None}
    behind = asked.union(*(dependency_closure(key, known) for key in asked))
    own = {run.record.key for run in ledger.runs if run.record is not None}
    kinds = {"stages": 0, "others": 0, "unknown": 0}
    for key in ledger.shown - asked:
        entry = entries.get(known[key].cell.model)
        other = key not in behind and key in own and entry is not None and entry.role.result
        kinds["unknown" if entry is None and key not in behind else "others" if other else "stages"] += 1
    is_ = {kind: "is" if n == 1 else "are" for kind, n in kinds.items()}
    if n := kinds["stages"]:
        yield f"{f.count(n, 'more run')} of stages that they depend on {is_['stages']} here."
    if n := kinds["others"]:
        yield f"{f.count(n, 'more run')} {is_['others']} of tables and figures that were not asked for."
    if n := kinds["unknown"]:
        yield f"{f.count(n, 'more run')} {is_['unknown']} of methods that have no config here."
    cells = {id(run) for run in ledger.asked_runs}
    if n := sum(run.record is not None and run.record.key in behind and id(run) not in cells for run in ledger.runs):
        have = "shows one of these runs" if n == 1 else "show some of these runs"
        yield f"{f.count(n, 'cell')} of tables and figures that were not asked for {have} as well."


def _adopted(context: ReportContext) -> str:
    """How many of the runs behind the pages were adopted; "" for none."""
    shown = context.ledger.shown_records
    n = sum(bool(r.adopted_from) for r in shown)
    if not n:
        return ""
    return (
        f"{n} of {f.count(len(shown), 'run')} behind these pages {'was' if n == 1 else 'were'} adopted: declared "
        f"equivalent to the present configs and code, with reasons. Numbers made with them are marked {MARK}."
    )


def several_results(found: Sequence[Repeated]) -> list[str]:
    """Which runs came out differently in the ledgers that hold them."""
    if not found:
        return []
    each = [
        f"{cell_id(r.record.cell.model, r.record.cell.variant)}, seed {r.record.cell.seed} ({_and(r.top1)} %)"
        for r in found[:NAMED]
    ]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    came = "run has" if len(found) == 1 else "runs have"
    return [
        f"{len(found)} {came} another accuracy in each ledger, of which the newest counts: {'; '.join(each)}{more}."
    ]


def _and(top1: Sequence[float]) -> str:
    return " and ".join(f.percent(x, 2) for x in top1)


def _sources(context: ReportContext) -> list[str]:
    """What the pages were read from, where that is more than one plan of one ledger."""
    ledger = context.ledger
    said = []
    if len(ledger.work_dirs) > 1:
        names = ", ".join(ledger.names)
        said.append(f"Read from {len(ledger.work_dirs)} ledgers: {names}. A run that lies in several counts once.")
        said += several_results(ledger.repeated)
    said += [f"{table}: {line}." for table, line in context.without_row.items()]
    left_out = ledger.other_start.keys() - ledger.shown
    planned = [c for plan in ledger.plans for c in plan.cells if c.key not in left_out]
    records = {key: record for key, (_, record) in ledger.records.items()}
    checked = {c.id for c in planned} | {c.key for c in planned}
    checked |= {stage for c in planned for stage in dependency_closure(c.key, records)}
    under_way = {c.method for c in planned if c.key not in records}  # what they were made from is not known yet
    unchecked = [
        i
        for i, r in ledger.results.items()
        if ledger.used_by.get(i) and i not in checked and not any(run.cell.key in checked for run in r.runs)
        if r.runs[0].cell.method not in under_way
    ]
    if unchecked:
        said.append(
            f"The last plan did not ask for {f.count(len(unchecked), 'cell')} that "
            f"{'has' if len(unchecked) == 1 else 'have'} "
            "runs: whether config, code or data have changed since is not known. "
            "python -m harness status with their tables "
            "(--tables, --all-methods) tells."
        )
    older = [i for i, r in ledger.results.items() if r.older and ledger.used_by.get(i)]
    if older:
        shows = "shows" if len(older) == 1 else "show"
        said.append(
            f"{f.count(len(older), 'cell')} {shows} runs of an older config, code or data, marked {OLDER_MARK}."
        )
    return said


def _job(run: Run) -> str:
    return run.cell.key or f"{run.cell.id}-s{run.cell.seed}"


FEW = 5  # cells of one reason that have a line each


def _gaps(context: ReportContext) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Runs that the last plan asks for and that have no result: one line per cell and reason, and the cells of a reason
    together where more than ``FEW`` were not run, or could not be planned, for it."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    jobs: dict[str, list[str]] = {}  # cells that share a run share its job, which has the name of one of them
    for run in context.ledger.present_runs:
        jobs.setdefault(_job(run), []).append(f"{run.cell.id}-s{run.cell.seed}")
    for run in context.ledger.present_runs:
        if run.status == "done":
            continue
        now = ""
        if context.running and run.status == "missing":
            now = next(filter(None, map(context.running.reason, jobs[_job(run)])), "")
        runs_now = now == RUNNING
        gap = found.setdefault(
            (run.cell.id, run.status, now or run.reason),
            {
                "cell": run.cell.id,
                "seeds": [],
                "status": run.status,
                "text": now if runs_now else STATUS[run.status],
                "reason": "its job has begun" if runs_now else now or run.reason,
                "href": run.page,
                "used_by": ", ".join(run.cell.used_by),
            },
        )
        gap["seeds"].append(run.cell.seed)
    lines = [{**g, "seeds": ", ".join(map(str, g["seeds"]))} for g in found.values()]
    alike: dict[tuple[str, str], list[str]] = {}
    for g in lines:
        if g["status"] in ("missing", "unplanned"):
            alike.setdefault((g["text"], g["reason"]), []).append(g["cell"])
    many = {why: cells for why, cells in alike.items() if len(cells) > FEW}
    waiting = [{"text": text, "reason": reason, "cells": cells} for (text, reason), cells in many.items()]
    return [g for g in lines if (g["text"], g["reason"]) not in many], waiting


VIEW = View("Overview", 0, build)
