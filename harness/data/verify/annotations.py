"""Reads the annotation of a clip data set to its end: what is malformed becomes a finding, the rest is read.

The readers of ``mtcd_plugin.formats`` parse every line, so that a line is sound here exactly when training reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.data.verify.finding import Finding
from mtcd_plugin.formats.clips import Clip
from mtcd_plugin.formats.tables import read_rows, unread_columns
from mtcd_plugin.formats.text import is_synthetic

SPLITS = ("train", "test")
MEND_LINE = "correct or remove the line; the readers refuse the whole set as it is"
MEND_FILE = "correct or restore the file; see the layout in the documentation of mtcd_plugin.formats"


@dataclass(frozen=True)
class Annotation:
    """Every sound clip of both splits and every lighting, and what else was found."""

    name: str
    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    synthetic: bool
    findings: tuple[Finding, ...]


class Findings(list):
    """Collects findings of one folder; its path is left out of the messages."""

    def __init__(self, root: Path):
        super().__init__()
        self.prefix = f"{root}/"

    def error(self, check: str, message: object, remedy: str, clip_id: str = "") -> None:
        self.append(Finding(clip_id, "error", check, str(message).replace(self.prefix, ""), remedy))


def finished(name: str, root: Path, clips: Mapping[str, Clip], classes: Iterable[str], found: Findings) -> Annotation:
    """The annotation of these clips (by id), with findings about what they lack as a whole."""
    synthetic = says_synthetic(root, found)
    for clip_id in clips:
        if "#" in clip_id:
            text = "contains '#', which opens a remark in a quarantine file: it cannot be left out"
            found.append(Finding(clip_id, "warning", "annotation", f"clip_id {text}", "rename the clip"))
    if not clips:
        found.error("annotation", f"{root}: no clip could be read", "see the other findings; check --data-root")
    elif not any(f.severity == "error" for f in found):  # else that is the cause
        for split in SPLITS:
            if not any(clip.split == split for clip in clips.values()):
                found.error("splits", f"the {split} split has no clip", "restore the lists, or split the subjects anew")
    return Annotation(name, tuple(clips.values()), tuple(classes), synthetic, tuple(found))


def says_synthetic(root: Path, found: Findings) -> bool:
    """Whether dataset.json calls the set synthetic; a broken one is a finding."""
    try:
        return is_synthetic(root)
    except (ValueError, OSError) as error:
        closed = isinstance(error, PermissionError) or isinstance(error.__context__, PermissionError)
        mend = "change its permissions" if closed else "restore dataset.json, or remove it if the data are real"
        found.error("annotation", error, mend)
        return False


def rows_of(path: Path, columns: tuple[str, ...], what: str, found: Findings) -> list[tuple[str, dict[str, str]]]:
    """The sound rows of a table, each with where it stands; ``columns`` are those that a reader needs."""
    problems: list[str] = []
    try:
        rows = list(read_rows(path, columns, what, problems))
        unread = unread_columns(path, columns, what)
    except (ValueError, OSError) as error:
        found.error("annotation", error, MEND_FILE)
        rows, unread = [], ""
    for problem in problems:
        found.error("annotation", problem, MEND_LINE)
    if unread:
        found.append(Finding("", "warning", "columns", unread, "remove them, or correct their names"))
    return rows
