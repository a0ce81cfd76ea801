"""Clips that no method gets right, or only one: possible because every prediction is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.results import Result


@dataclass(frozen=True)
class Shared:
    """How methods agree on the same clips."""

    title: str
    text: str
    never: tuple[str, ...]
    alone: tuple[tuple[str, tuple[str, ...]], ...]  # method -> clips that it alone gets right


def shared(title: str, named: list[tuple[str, Result]]) -> Shared | None:
    """Compare the methods that were tested on the same clips as the first; None for fewer than two."""
    usable = [(n, r.outcomes) for n, r in named if r.outcomes is not None]
    if usable:
        usable = [(n, o) for n, o in usable if o.fingerprint == usable[0][1].fingerprint]
    if len(usable) < 2:
        return None
    clips = usable[0][1].clips
    # a method gets a clip right when most of its seeds do
    most = np.stack([o.correct.mean(axis=0) > 0.5 for _, o in usable])
    ever = np.stack([o.correct.any(axis=0) for _, o in usable])
    never = [c for c, x in zip(clips, ever.any(axis=0), strict=True) if not x]
    always = int(most.all(axis=0).sum())
    alone = []
    for i, (name, _) in enumerate(usable):
        own = most[i] & ~np.delete(ever, i, axis=0).any(axis=0)
        if own.any():
            alone.append((name, tuple(c for c, x in zip(clips, own, strict=True) if x)))
    text = (
        f"Of {len(clips)} test clips, {always} are right with all {len(usable)} methods "
        f"and {len(never)} with none of them in any seed."
    )
    return Shared(title, text, tuple(never), tuple(alone))
