"""Counts of a data set beside the numbers that were published for it. All of them are notes, never errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from harness.data.verify.annotations import SPLITS, Annotation
from harness.data.verify.finding import Finding
from mtcd_plugin.formats.clips import Clip


def balance(annotation: Annotation) -> list[Finding]:
    """A warning for each split that has no clip of a class."""
    found = []
    for split in SPLITS:
        here = [c for c in annotation.clips if c.split == split]
        empty = [name for name, count in per_class(here, annotation.classes).items() if not count]
        if empty:
            text = f"classes without a clip in the {split} split: {', '.join(empty)}"
            found.append(Finding("", "warning", "class balance", text, "check the annotation and the split"))
    return found


def count(what: str, here: object, published: str, source: str = "the draft") -> Finding:
    """A note with a count beside the published one."""
    shown = f"{here:,}" if isinstance(here, int) else here
    return Finding("", "note", "counts", f"{what}: {shown} here; {source}: {published}")


def per_class(clips: list[Clip], classes: tuple[str, ...]) -> dict[str, int]:
    """Class name -> number of clips."""
    counts = Counter(c.label for c in clips)
    return {name: counts[number] for number, name in enumerate(classes)}


def subjects_by_split(clips: Iterable[Clip]) -> dict[str, set[str]]:
    """Split -> its people."""
    found: dict[str, set[str]] = {"train": set(), "test": set()}
    for clip in clips:
        found[clip.split].add(clip.subject)
    return found


def span(values: Iterable[int]) -> str:
    """``45 to 210``."""
    values = list(values)
    return f"{min(values)} to {max(values)}" if values else "none"
