"""The sets of clips that the runs of a site read, as they were measured: of one data set several, where its ledgers
have different ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reports.ledger.ledger import Ledger

OTHERS = "last measured on other clips than these runs read; run-all at this profile measures them"
ABOUT_FILES = ("stamp", "profile", "left_out")  # what two copies of the same clips may differ in
PARTS = ("resolution", "fps", "rgb", "clips_per_lighting")  # said of each part of a generated set


@dataclass(frozen=True)
class ClipSet:
    """Clips in the layout of a data set.

    Attributes:
        number: its place among the sets of this data set, from 1 on.
        synthetic: None where nothing says.
        about: what was measured of it (``harness.data.describe.summary.Statistics``); a ``problem`` says why nothing
            was.
        sheet: its contact sheet, None where there is none.
        ledger: name of the one that it was measured for.
    """

    dataset: str
    number: int = 1
    synthetic: bool | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    sheet: Path | None = None
    ledger: str = ""

    @property
    def id(self) -> str:
        return self.dataset if self.number == 1 else f"{self.dataset}-{self.number}"


def clip_sets(statistics: Sequence[Mapping[str, Mapping[str, Any]]], ledger: Ledger) -> dict[str, tuple[ClipSet, ...]]:
    """Data set -> its sets, each once; also those that runs read and nothing is measured of.

    Args:
        statistics: of each work dir of the ledger, by data set; () for none.
    """
    read = _read(ledger)
    found: dict[str, list[ClipSet]] = {run.cell.dataset: [] for run in ledger.runs}
    stale = set()
    for new in _measured(statistics, ledger) if statistics else ():
        known = found.setdefault(new.dataset, [])
        same = next((i for i, other in enumerate(known) if _same(new.about, other.about)), None)
        if _is_of_others(new, read.get(new.dataset, set()), ledger.profile):
            stale.add(new.dataset)
        elif same is None:
            known.append(new)
        else:
            known[same] = _fuller(known[same], new)
    every = {d: _with_unmeasured(d, sets, read.get(d, set()), d in stale) for d, sets in found.items()}
    return {d: tuple(replace(s, number=i + 1) for i, s in enumerate(sets)) for d, sets in every.items()}


def _read(ledger: Ledger) -> dict[str, set[bool]]:
    """Data set -> whether the clips that runs read are synthetic."""
    kinds: dict[str, set[bool]] = {}
    for r in ledger.shown_records:
        if r.data is not None:
            kinds.setdefault(r.cell.dataset, set()).add(r.data.synthetic)
    return kinds


def _measured(statistics: Sequence[Mapping[str, Mapping[str, Any]]], ledger: Ledger) -> Iterator[ClipSet]:
    for place, name, own in zip(ledger.work_dirs, ledger.names, statistics, strict=True):
        for dataset, about in own.items():
            sheet = place / f"contact_sheet_{dataset}.png"
            there = sheet if sheet.is_file() and not about.get("problem") else None
            yield ClipSet(dataset, 1, about.get("synthetic"), about, there, name)


def _is_of_others(found: ClipSet, read: set[bool], profile: str) -> bool:
    """Whether it is of clips that no run read: of synthetic ones, which differ from profile to profile, at another
    profile, or of synthetic ones for real ones and the other way round."""
    elsewhere = found.synthetic and found.about.get("profile", "") not in ("", profile)
    return bool(elsewhere or (found.synthetic is not None and read and found.synthetic not in read))


def _with_unmeasured(dataset: str, sets: list[ClipSet], read: set[bool], stale: bool) -> list[ClipSet]:
    """Args: read: kinds of the clips that runs read. stale: other clips were measured in their place."""
    kinds: list[bool | None] = [*sorted(read - {s.synthetic for s in sets})]
    if any(s.synthetic is None for s in sets):  # what was damaged does not say its kind
        kinds = []
    elif not sets and not kinds and stale:
        kinds = [None]
    return sets + [ClipSet(dataset, synthetic=k, about={"problem": OTHERS} if stale else {}) for k in kinds]


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether they are of the same clips. Generated ones are made a part at a time: they are one set where the parts
    that both have are equal."""
    if not (a.get("generator_version") and b.get("generator_version")):
        return all(a.get(k) == b.get(k) for k in (a.keys() | b.keys()).difference(ABOUT_FILES))
    whole = all(a.get(k) == b.get(k) for k in ("generator_version", "seed", "classes", "subjects"))
    shared = [(x, y, part) for k in PARTS for x, y in [(a.get(k, {}), b.get(k, {}))] for part in x.keys() & y.keys()]
    return whole and all(x[part] == y[part] for x, y, part in shared)


def _fuller(a: ClipSet, b: ClipSet) -> ClipSet:
    """That of which more is made; with a contact sheet, where one of them has it."""
    more, less = (b, a) if b.about.get("clips", 0) > a.about.get("clips", 0) else (a, b)
    return replace(more, sheet=more.sheet or less.sheet)
