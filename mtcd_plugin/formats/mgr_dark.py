"""MGR-Dark: annotations.csv, subjects.csv, classes.txt, and mp4 clips per lighting and modality.

The official file naming is not public; this layout is ours and is described in ``COLUMNS``. One row of
``annotations.csv`` is one clip of one lighting; ``pair_id`` ties the dark and the daylight take. Files are
relative to the root and below it, '' where a stream is missing; windows [start, end) are frames of that file,
counted from 0, up to 10,000,000; frame rates are from 1 to 1000, and count only
for a file without time stamps. Whole numbers may be written as ``50.0``.
"""

from __future__ import annotations

from pathlib import Path

from mtcd_plugin.formats.clips import Clip, ClipTable, Stream
from mtcd_plugin.formats.tables import (
    FPS,
    LAST_FRAME,
    check_characters,
    check_clip_id,
    person_key,
    read_rows,
    real_number,
    relative_path,
    whole_number,
)
from mtcd_plugin.formats.text import check_place, is_synthetic, read_lines

MARK = "annotations.csv"
STREAMS = ("rgb", "depth", "ir")
LIGHTINGS = ("dark", "daylight")
COLUMNS = ("clip_id", "pair_id", "subject", "scene", "gesture", "lighting") + tuple(
    f"{stream}_{part}" for stream in STREAMS for part in ("file", "fps", "start", "end")
)
SPLITS = ("train", "test")
SUBJECT_COLUMNS = ("subject", "split")


def read_mgr_dark(root: str, lighting: str = "dark") -> ClipTable:
    """Read the annotation of MGR-Dark.

    Args:
        root: folder with annotations.csv.
        lighting: ``dark``, ``daylight`` or ``both``.

    Raises:
        FileNotFoundError, ValueError: one line with file, line number and what is wrong. Video files are not
        looked at.
    """
    if lighting not in (*LIGHTINGS, "both"):
        raise ValueError(f"lighting={lighting!r} is unknown; choose from dark, daylight, both")
    base = Path(root)
    check_place(base, MARK)
    classes = read_classes(base / "classes.txt")
    splits = read_subjects(base / "subjects.csv")
    labels = {name: number for number, name in enumerate(classes)}
    clips: list[Clip] = []
    seen: set[str] = set()
    for where, row in read_rows(base / MARK, COLUMNS, "MGR-Dark's annotation"):
        clip = parse_row(row, where, base, labels, splits)
        if clip.clip_id in seen:
            raise ValueError(f"{where}: clip_id {clip.clip_id!r} occurs twice")
        seen.add(clip.clip_id)
        if lighting in (clip.lighting, "both"):
            clips.append(clip)
    return ClipTable(tuple(clips), classes, is_synthetic(base), "MGR-Dark")


def read_classes(path: Path) -> tuple[str, ...]:
    """Class names, one per line; the label is the line number from 0."""
    names = [line.strip() for line in read_lines(path, "class names")]
    while names and not names[-1]:
        names.pop()
    for number, name in enumerate(names, 1):
        if not name:
            raise ValueError(f"{path} line {number}: empty class name")
        check_characters(name, "class", f"{path} line {number}")
        if name in names[: number - 1]:
            raise ValueError(f"{path} line {number}: class {name!r} occurs twice")
    if not names:
        raise ValueError(f"{path}: no class names")
    return tuple(names)


def read_subjects(path: Path) -> dict[str, str]:
    """Subject -> split, of a table with these two columns. ValueError as ``add_subject``."""
    splits: dict[str, str] = {}
    for where, row in read_rows(path, SUBJECT_COLUMNS, "the split by subject"):
        add_subject(row, where, splits)
    return splits


def add_subject(row: dict[str, str], where: str, splits: dict[str, str]) -> None:
    """Add a row of subjects.csv to ``splits`` (subject -> split). ValueError, also for a person under two names: train
    and test must not share one.
    """
    subject, split = row["subject"], row["split"]
    if not subject:
        raise ValueError(f"{where}: subject is empty")
    if split not in SPLITS:
        hint = "; write it in small letters" if split.lower() in SPLITS else ""
        raise ValueError(f"{where}: split {split!r} is unknown; choose from train, test{hint}")
    if subject in splits:
        both = f" and is both in {split} and in {splits[subject]}" if split != splits[subject] else ""
        raise ValueError(f"{where}: subject {subject!r} occurs twice{both}")
    if same := _same_person(subject, splits):
        raise ValueError(
            f"{where}: subject {subject!r} ({split}) and subject {same!r} ({splits[same]}) differ in case, "
            "Unicode form or the way a number is written (1, 01, 1.0) alone; write a person's id in one way"
        )
    splits[subject] = split


def stand_in(row: dict[str, str], splits: dict[str, str]) -> None:
    """For who reads on after ``add_subject`` refused a row: the person is known, so that the row alone is at fault."""
    if row["subject"]:
        split = row["split"].lower()
        splits.setdefault(row["subject"], split if split in SPLITS else "train")


def _same_person(subject: str, splits: dict[str, str]) -> str | None:
    key = person_key(subject)
    return next((other for other in splits if person_key(other) == key), None)


def parse_row(row: dict, where: str, base: Path, labels: dict[str, int], splits: dict[str, str]) -> Clip:
    """One row of annotations.csv as a clip; ``where`` opens every error message."""
    check_clip_id(row["clip_id"], where)
    if row["gesture"] not in labels:
        raise ValueError(f"{where}: gesture {row['gesture']!r} is not in classes.txt: {', '.join(labels)}")
    if row["subject"] not in splits:
        same = _same_person(row["subject"], splits)
        hint = f"; it has {same!r}, which differs in case, Unicode form or the way a number is written" if same else ""
        raise ValueError(f"{where}: subject {row['subject']!r} is not in subjects.csv{hint}")
    if row["lighting"] not in LIGHTINGS:
        raise ValueError(f"{where}: lighting {row['lighting']!r} is unknown; choose from dark, daylight")
    if not any(row[f"{name}_file"] for name in STREAMS):
        raise ValueError(f"{where}: no stream has a file: {', '.join(f'{name}_file' for name in STREAMS)} are empty")
    return Clip(
        clip_id=row["clip_id"],
        subject=row["subject"],
        label=labels[row["gesture"]],
        split=splits[row["subject"]],
        streams={name: _parse_stream(row, name, where, base) for name in STREAMS if row[f"{name}_file"]},
        scene=row["scene"],
        lighting=row["lighting"],
        pair_id=row["pair_id"],
    )


def _parse_stream(row: dict, name: str, where: str, base: Path) -> Stream:
    start = whole_number(row[f"{name}_start"], f"{name}_start", where, 0, LAST_FRAME)
    end = whole_number(row[f"{name}_end"], f"{name}_end", where, 0, LAST_FRAME)
    if start >= end:
        raise ValueError(f"{where}: {name} window [{start}, {end}) is empty; end is the frame after the last")
    fps = real_number(row[f"{name}_fps"], f"{name}_fps", where, *FPS)
    file = relative_path(row[f"{name}_file"], f"{name}_file", where)
    return Stream(str(base / file), start, end, fps)
