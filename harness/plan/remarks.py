"""What a user has to know of a plan beside its jobs: cells without one, cells with another cell's,
and notes on jobs.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

from harness.data.names import is_synthetic_root
from harness.errors import count
from harness.plan.jobs import Plan
from harness.plan.start import Absent
from harness.suite import Entry


def cell_name(cell: str, seed: int) -> str:
    """A cell by the name that its job has, unless it is another cell's."""
    return f"{cell}-s{seed}"


def without_seed(name: str) -> str:
    """What the names of a cell's seeds have in common."""
    return name.rsplit("-s", 1)[0]


def names(plan: Plan) -> dict[str, str]:
    """Every name of every job -> its key: the one it is listed by, and those of all cells that it answers."""
    of_jobs = {job.name: key for key, job in plan.jobs.items()}
    return {cell_name(*cell): key for cell, key in plan.keys.items()} | of_jobs


def unplanned(plan: Plan) -> dict[str, str]:
    """Cells that cannot be planned, by name, and why."""
    return {cell_name(*cell): reason for cell, reason in plan.errors.items()}


def unplanned_lines(plan: Plan, wanted: Container[str] | None = None) -> list[str]:
    """One line per reason why cells cannot be planned.

    Args:
        wanted: names of the only cells that matter; None for all.
    """
    reasons: dict[str, list[str]] = {}
    for (cell, seed), reason in plan.errors.items():
        if wanted is None or cell_name(cell, seed) in wanted:
            reasons.setdefault(reason, []).append(cell_name(cell, seed))
    lines = []
    for reason, cells in reasons.items():
        more = len(cells) - 1
        others = f" and {count(more, 'more cell')}" if more else ""
        lines.append(f"cannot plan {cells[0]}{others}: {reason}")
    return lines


def missing_lines(plan: Plan, wanted: Container[str] | None = None) -> list[str]:
    """Everything that cells lack to be planned, each once, whatever the reasons say first; none where one thing alone
    is missing, which its reason names. Built-in synthetic data is made, not put somewhere.

    Args:
        wanted: names of the only cells that matter; None for all.
    """
    lacking = {x: None for cell, of in plan.missing.items() if wanted is None or cell_name(*cell) in wanted for x in of}
    sets = [x for x in lacking if isinstance(x, Path) and not is_synthetic_root(x.parent)]
    files = {x.path: x for x in lacking if isinstance(x, Absent)}  # two metafiles may say differently what it learned
    if len(sets) + len(files) < 2:
        return []
    numbers = [(len(sets), "data set", "data sets"), (len(files), "file of weights", "files of weights")]
    said = [count(*number) for number in numbers if number[0]]
    lines = [f"missing in all: {' and '.join(said)}"]
    lines += [f"missing data set: {path.name}, as {path}" for path in sets]
    for path, file in files.items():
        place = f"made by {file.remedy}" if file.remedy else f"download it to {path}"
        lines.append(f"missing weights: {file.file}, {place}")
    return lines


def left_out_line(left_out: Iterable[Entry], profile: str) -> str:
    """How many entries a profile leaves out, and how to have them; "" for none."""
    entries = list(left_out)
    if not entries:
        return ""
    methods = len({e.method for e in entries})
    return (
        f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'} of {methods} "
        f"{'method' if methods == 1 else 'methods'} left out at {profile}: --all-methods plans them as well, "
        "--cell NAME of `plan`, `run` and `run-all` one of them"
    )


def note_lines(plan: Plan, keys: Container[str]) -> list[str]:
    """Notes on jobs, and entries whose run is another entry's: one line each, whatever the number of seeds."""
    notes: dict[str, list[str]] = {}
    for key, job in plan.jobs.items():
        if key in keys:
            for note in job.notes:
                notes.setdefault(note, []).append(without_seed(job.name))
    lines = []
    for note, jobs in notes.items():
        more = len(set(jobs)) - 1
        lines.append(f"{jobs[0]}{f' and {more} more' if more else ''}: {note}")
    same = {}
    for (cell, _), key in plan.keys.items():
        job = plan.jobs[key]
        if key in keys and cell.split("+")[0] != job.cell.model:
            same[cell] = (
                f"{cell}: the same run as {job.name.rsplit('-s', 1)[0]}; nothing in which they differ counts here"
            )
    return [*lines, *same.values()]
