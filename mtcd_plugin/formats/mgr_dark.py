"""MGR-Dark: annotations.csv, subjects.csv, classes.txt, and mp4 clips per lighting and modality.

The official file naming is not public; this layout is ours and is described in ``COLUMNS``. One row of
``annotations.csv`` is one clip of one lighting; ``pair_id`` ties the dark and the daylight take. Files are
relative to the root, '' where a stream is missing; windows [start, end) are frames of that file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from mtcd_plugin.formats.clips import Clip, ClipTable, Stream
from mtcd_plugin.formats.text import is_synthetic, read_lines

STREAMS = ("rgb", "depth", "ir")
LIGHTINGS = ("dark", "daylight")
COLUMNS = ("clip_id", "pair_id", "subject", "scene", "gesture", "lighting") + tuple(
    f"{stream}_{part}" for stream in STREAMS for part in ("file", "fps", "start", "end")
)
SPLITS = ("train", "test")


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
    classes = read_classes(base / "classes.txt")
    splits = _read_subjects(base / "subjects.csv")
    labels = {name: number for number, name in enumerate(classes)}
    clips: list[Clip] = []
    seen: set[str] = set()
    for where, row in read_rows(base / "annotations.csv", COLUMNS, "MGR-Dark's annotation"):
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
        if name in names[: number - 1]:
            raise ValueError(f"{path} line {number}: class {name!r} occurs twice")
    if not names:
        raise ValueError(f"{path}: no class names")
    return tuple(names)


def _read_subjects(path: Path) -> dict[str, str]:
    splits: dict[str, str] = {}
    for where, row in read_rows(path, ("subject", "split"), "the split by subject"):
        if row["split"] not in SPLITS:
            raise ValueError(f"{where}: split {row['split']!r} is unknown; choose from train, test")
        if row["subject"] in splits:
            raise ValueError(f"{where}: subject {row['subject']!r} occurs twice")
        splits[row["subject"]] = row["split"]
    return splits


def read_rows(
    path: Path, columns: tuple[str, ...], what: str, problems: list[str] | None = None
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a CSV file with a header, one per line, as (where, values without spaces around).

    With ``problems``, a malformed row is described there, and the rows after it are still read. A file that
    cannot be read or lacks a column raises FileNotFoundError or ValueError in any case.
    """
    lines = read_lines(path, what)
    header = _fields(lines[0] if lines else "", f"{path} line 1")
    if missing := [name for name in columns if name not in header]:
        names = ", ".join(columns)
        raise ValueError(f"{path} line 1: column {missing[0]!r} is missing; expected {names}")
    for number, line in enumerate(lines[1:], 2):
        where = f"{path} line {number}"
        try:
            values = _fields(line, where)
            if any(values) and len(values) != len(header):
                raise ValueError(f"{where}: {len(values)} fields where the header has {len(header)}")
        except ValueError as error:
            if problems is None:
                raise
            problems.append(str(error))
        else:
            if any(values):
                yield where, dict(zip(header, values, strict=True))


def _fields(line: str, where: str) -> list[str]:
    try:
        return [value.strip() for value in next(csv.reader([line], strict=True), [])]
    except csv.Error as error:
        raise ValueError(f"{where}: {error}") from None


def parse_row(
    row: dict, where: str, base: Path, labels: dict[str, int], splits: dict[str, str]
) -> Clip:
    """One row of annotations.csv as a clip; ``where`` opens every error message."""
    if not row["clip_id"]:
        raise ValueError(f"{where}: clip_id is empty")
    if row["gesture"] not in labels:
        raise ValueError(
            f"{where}: gesture {row['gesture']!r} is not in classes.txt: {', '.join(labels)}"
        )
    if row["subject"] not in splits:
        raise ValueError(f"{where}: subject {row['subject']!r} is not in subjects.csv")
    if row["lighting"] not in LIGHTINGS:
        raise ValueError(f"{where}: lighting {row['lighting']!r} is unknown; choose from dark, daylight")
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
    try:
        start, end = int(row[f"{name}_start"]), int(row[f"{name}_end"])
        fps = float(row[f"{name}_fps"])
    except ValueError:
        raise ValueError(
            f"{where}: {name}_start, {name}_end and {name}_fps must be numbers, found "
            f"{row[f'{name}_start']!r}, {row[f'{name}_end']!r}, {row[f'{name}_fps']!r}"
        ) from None
    if not 0 <= start < end < 2**31:
        raise ValueError(f"{where}: {name} window [{start}, {end}) is empty or negative, or has no end")
    if not 0 < fps < 1000:
        raise ValueError(f"{where}: {name}_fps {fps} is not a frame rate")
    return Stream(str(base / row[f"{name}_file"]), start, end, fps)
