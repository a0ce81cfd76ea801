"""Reads the annotation of a clip data set to its end: what is malformed becomes a finding, the rest is read.

The readers of ``mtcd_plugin.formats`` parse every line, so that a line is sound here exactly when training reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.data.verify.finding import Finding
from mtcd_plugin.formats.clips import Clip
from mtcd_plugin.formats.mgr_dark import (
    COLUMNS,
    SPLITS,
    SUBJECT_COLUMNS,
    add_subject,
    parse_row,
    read_classes,
    stand_in,
)
from mtcd_plugin.formats.nvgesture import CLASSES, LIST_FILES, STREAMS, parse_line
from mtcd_plugin.formats.tables import read_rows, unread_columns
from mtcd_plugin.formats.text import is_synthetic, read_lines

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


def annotated_mgr_dark(root: Path) -> Annotation:
    """MGR-Dark's annotations.csv, subjects.csv and classes.txt. Video files are not looked at.

    Where classes or subjects cannot be read, the names in the annotation stand in, so that the rest is still checked.
    """
    found = Findings(root)
    try:
        classes = read_classes(root / "classes.txt")
    except (ValueError, OSError) as error:
        found.error("annotation", error, MEND_FILE)
        classes = ()
    splits = _subjects(root, found)
    rows = _rows(root / "annotations.csv", COLUMNS, "MGR-Dark's annotation", found)
    names = classes or tuple(sorted({row["gesture"] for _, row in rows}))
    splits = splits or dict.fromkeys((row["subject"] for _, row in rows), "train")
    labels = {name: number for number, name in enumerate(names)}
    clips: dict[str, Clip] = {}
    for where, row in rows:
        clip_id = row["clip_id"]
        try:
            clip = parse_row(row, where, root, labels, splits)
        except ValueError as error:
            check = "label" if row["gesture"] not in labels else "annotation"
            found.error(check, error, MEND_LINE, clip_id)
            continue
        if clip_id in clips:
            found.error("duplicate id", f"{where}: clip_id {clip_id!r} occurs twice", MEND_LINE, clip_id)
        else:
            clips[clip_id] = clip
    return _annotation("MGR-Dark", root, clips, names, found)


def annotated_nvgesture(root: Path, lists: str = "v2") -> Annotation:
    """NvGesture's lists and logs, with all five streams of each clip under the names of their files."""
    found = Findings(root)
    clips: dict[str, Clip] = {}
    for split in SPLITS:
        path = root / LIST_FILES[lists].format(split=split)
        try:
            lines = read_lines(path, f"NvGesture's {split} list")
        except (ValueError, OSError) as error:
            found.error("annotation", error, MEND_FILE)
            continue
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{path} line {number}"
            try:
                clip = parse_line(line, where, root, split, {name: name for name in STREAMS})
            except (ValueError, OSError) as error:
                check = "label" if ": label " in str(error) else "annotation"
                found.error(check, error, MEND_LINE, _path_of(line))
                continue
            if clip.clip_id in clips:
                message = f"{where}: clip {clip.clip_id} occurs twice"
                found.error("duplicate id", message, MEND_LINE, clip.clip_id)
            else:
                clips[clip.clip_id] = clip
    by_split = {split: {c.subject for c in clips.values() if c.split == split} for split in SPLITS}
    for subject in sorted(by_split["train"] & by_split["test"]):
        found.error("splits", f"{subject} is both in the training and in the test list", "restore the lists as shipped")
    return _annotation("NvGesture", root, clips, CLASSES, found)


def _annotation(name, root, clips, classes, found) -> Annotation:
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
        found.error("annotation", error, "restore dataset.json, or remove it if the data are real")
        return False


def _subjects(root: Path, found: Findings) -> dict[str, str]:
    splits: dict[str, str] = {}
    for where, row in _rows(root / "subjects.csv", SUBJECT_COLUMNS, "the split by subject", found):
        try:
            add_subject(row, where, splits)
        except ValueError as error:
            found.error("splits", error, MEND_LINE)
            stand_in(row, splits)
    return splits


def _rows(path: Path, columns: tuple[str, ...], what: str, found: Findings) -> list[tuple[str, dict[str, str]]]:
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


def _path_of(line: str) -> str:
    """The clip that a malformed line of a list is about, '' if it does not tell."""
    match = re.search(r"(class_[0-9]+/subject[0-9]+_r[0-9]+)(?=\s|$)", line)
    return match.group(1) if match else ""
