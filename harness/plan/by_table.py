"""Jobs by the table that asks for them, and what each table lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import count
from harness.plan.jobs import dependency_closure
from harness.plan.workspace import Workspace

ORDER = ("running", "queued", "failed", "rejected", "stale", "missing")


@dataclass(frozen=True)
class TableJobs:
    """A table or figure with its jobs, stages included.

    Attributes:
        keys: of the jobs that no table before it asks for. shared: how many others it has.
        line: how many are done, what is missing and why.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    shared: int
    line: str

    @property
    def heading(self) -> str:
        """Its title, and where its other jobs are listed."""
        also = (
            f"; {count(self.shared, 'job')} of it {'stands' if self.shared == 1 else 'stand'} above"
            if self.shared
            else ""
        )
        return f"{self.title} ({self.id}{also})"


def by_table(ws: Workspace, states: Mapping[str, str], details: Mapping[str, str]) -> list[TableJobs]:
    """The tables that were asked for, in their order.

    Args:
        states: key -> "done", "missing", "failed" and so on. details: key -> why, where that is known.
    """
    titles = {t.id: t.title for t in ws.benchmark.tables} | {x.id: x.title for x in ws.benchmark.figures}
    titles |= {x.grid.id: x.grid.title for x in ws.benchmark.figures if x.grid is not None}
    listed: set[str] = set()
    found = []
    for name in ws.tables:
        cells = [(c.id, c.seed) for c in ws.cells if name in c.used_by]
        jobs = dependency_closure(ws.plan.jobs, [ws.plan.keys[c] for c in cells if c in ws.plan.keys])
        keys = tuple(k for k in jobs if k not in listed)
        errors = [ws.plan.errors[c] for c in cells if c in ws.plan.errors]
        line = f"{name}: {_line(ws, list(jobs), states, details, errors)}"
        found.append(TableJobs(name, titles.get(name, name), keys, len(jobs) - len(keys), line))
        listed |= jobs.keys()
    return found


def _line(
    ws: Workspace, keys: list[str], states: Mapping[str, str], details: Mapping[str, str], errors: list[str]
) -> str:
    done = sum(states[k] == "done" for k in keys)
    parts = [f"{done} of {count(len(keys), 'job')} done"]
    there = sorted({states[k] for k in keys} - {"done"}, key=lambda s: (ORDER.index(s) if s in ORDER else -1, s))
    for state in there:
        own = [k for k in keys if states[k] == state]
        parts += _missing(ws, own, states) if state == "missing" else [f"{len(own)} {state}{_why(state, own, details)}"]
    if errors:
        reasons = Counter(errors)
        other = f" and {count(len(reasons) - 1, 'other reason')}" if len(reasons) > 1 else ""
        parts.append(f"{count(len(errors), 'cell')} cannot be planned: {reasons.most_common(1)[0][0]}{other}")
    return "; ".join(parts)


def _missing(ws: Workspace, keys: list[str], states: Mapping[str, str]) -> list[str]:
    """What has not run: because a stage failed, or because nobody has run it yet."""
    waiting: Counter[str] = Counter()
    for key in keys:
        stages = dependency_closure(ws.plan.jobs, [key])
        failed = [job.name for k, job in stages.items() if states.get(k) == "failed"]
        waiting.update(failed[:1])
    parts = [f"{n} not run, since {name} failed" for name, n in waiting.most_common(1)]
    if len(waiting) > 1:
        rest = waiting.total() - waiting.most_common(1)[0][1]
        parts.append(f"{rest} not run, since other stages failed")
    left = len(keys) - waiting.total()
    return [*parts, *([f"{left} not run yet"] if left else [])]


def _why(state: str, keys: list[str], details: Mapping[str, str]) -> str:
    """The most frequent reason of jobs in a state; of a failure its kind, of stale runs the parts that differ."""
    said = Counter(
        details[k].split(":")[0].replace("_", " ") if state == "failed" else details[k] for k in keys if details.get(k)
    )
    if not said or state in ("running", "queued"):
        return ""
    if state == "stale":
        parts = Counter(details[k].split()[0] for k in keys if details.get(k))
        return f" ({', '.join(f'{n} differ in {part}' for part, n in parts.most_common())})"
    other = f", {count(len(said) - 1, 'other reason')}" if len(said) > 1 else ""
    return f" ({said.most_common(1)[0][0]}{other})"
