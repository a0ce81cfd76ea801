"""Which jobs ``--cell`` names, known from the suite and the configs before any data is there."""

from __future__ import annotations

from collections.abc import Iterable

from harness.errors import BadUsage, unknown_name
from harness.plan.jobs import Settings
from harness.plan.planner import named_cells, named_jobs
from harness.plan.remarks import cell_name
from harness.suite import Cell, Entry


def split_names(
    asked: Iterable[str], cells: Iterable[Cell], entries: dict[str, Entry], settings: Settings
) -> list[str]:
    """Names with commas between them, one by one; the points of a grid have commas in their own."""
    given = list(asked)
    if not any("," in name for name in given):
        return given
    known = {name for job in named_jobs(cells, entries, settings) for name in (job[0], cell_name(*job))}
    parts = ([name] if name in known else [p.strip() for p in name.split(",") if p.strip()] for name in given)
    return [part for name, names in zip(given, parts, strict=True) for part in names or [name]]


def asked_by_name(
    asked: Iterable[str], cells: Iterable[Cell], left_out: Iterable[Cell], entries: dict[str, Entry], settings: Settings
) -> list[Cell]:
    """The cells that the profile leaves out and that are asked for by the name of their job or of one they depend on.

    A name that jobs of ``cells`` have asks for no other.
    """
    own = {name for job in named_jobs(cells, entries, settings) for name in (job[0], cell_name(*job))}
    rest = set(asked) - own
    found = []
    for cell in left_out if rest else ():
        names = {name for job in named_jobs([cell], entries, settings) for name in (job[0], cell_name(*job))}
        found += [cell] if names & rest else []
    return found


def chosen_jobs(
    asked: Iterable[str], cells: Iterable[Cell], entries: dict[str, Entry], settings: Settings
) -> tuple[str, ...]:
    """The names of jobs that are asked for by name, one without ``-s<seed>`` standing for all its seeds.

    Raises:
        BadUsage: nothing that is planned has such a name.
    """
    asked = list(asked)
    if not asked:
        return ()
    names: dict[str, list[str]] = {}
    for name, seed in named_jobs(cells, entries, settings):
        full = cell_name(name, seed)
        names.setdefault(name, []).append(full)
        names[full] = [full]
    if unknown := [name for name in asked if name not in names]:
        if unknown[0] in entries:
            raise BadUsage(
                f"--cell {unknown[0]}: no table that is asked for has this entry; name one that has it by --tables, or "
                "add its modality to the columns of one in benchmark.yml"
            )
        known = dict.fromkeys([*names, *entries])  # a method that the profile leaves out can be named as well
        raise BadUsage(f"--cell: {unknown_name('job', unknown[0], known, listed_by='plan')}")
    return tuple(dict.fromkeys(full for name in asked for full in names[name]))


def chosen_cells(
    chosen: Iterable[str], cells: Iterable[Cell], entries: dict[str, Entry], settings: Settings
) -> list[Cell]:
    """The cells and the stages that ``chosen_jobs`` has named."""
    names = set(chosen)
    return [c for c in named_cells(cells, entries, settings) if cell_name(c.id, c.seed) in names] if names else []
