"""MGR-Dark: its annotation read to the end, what should hold for it, and its counts beside the draft's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from harness.data.verify.annotations import MEND_FILE, MEND_LINE, Annotation, Findings, finished, rows_of
from harness.data.verify.clip_set import ClipChecks, Sizes
from harness.data.verify.clips import Rules
from harness.data.verify.finding import Finding
from harness.data.verify.published import balance, count, per_class, span, subjects_by_split
from mtcd_plugin.formats.clips import Clip
from mtcd_plugin.formats.mgr_dark import (
    COLUMNS,
    LIGHTINGS,
    STREAMS,
    SUBJECT_COLUMNS,
    add_subject,
    parse_row,
    read_classes,
    stand_in,
)

# the draft, section 3
DRAFT_CLASSES = (
    "forward",
    "backward",
    "stop",
    "keep down",
    "turn left",
    "turn right",
    "upward",
    "look for",
    "quiet",
)
DRAFT_COUNTS = (10, 21)  # classes and subjects
DRAFT_SIZES = {"rgb": (1920, 1080), "depth": (512, 424), "ir": (1408, 1068)}
DRAFT_CONTRADICTIONS = (
    "the draft speaks of 10 gesture classes and names 9 (" + ", ".join(DRAFT_CLASSES) + "); the tenth is unknown",
    "the draft's total of 8,721 s is impossible: 5,170 clips of at least 1.8 s "
    "are 9,306 s for one modality and lighting",
    "the draft names the colour camera Kinect V2 and Kinect V4, and gives Kinect "
    "V2 12 megapixels; at 1920 x 1080 it has 2",
    "the draft does not say which 16 subjects train and which 5 test: results depend on subjects.csv",
)


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
    splits = _splits(root, found)
    rows = rows_of(root / "annotations.csv", COLUMNS, "MGR-Dark's annotation", found)
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
    return finished("MGR-Dark", root, clips, names, found)


def _splits(root: Path, found: Findings) -> dict[str, str]:
    splits: dict[str, str] = {}
    for where, row in rows_of(root / "subjects.csv", SUBJECT_COLUMNS, "the split by subject", found):
        try:
            add_subject(row, where, splits)
        except ValueError as error:
            found.error("splits", error, MEND_LINE)
            stand_in(row, splits)
    return splits


def notes_mgr_dark(annotation: Annotation, sizes: Sizes) -> list[Finding]:
    """Counts and sizes beside the draft's, and what the draft contradicts itself in where it is the draft's data."""
    clips = annotation.clips
    drafts_own = (len(annotation.classes), len({c.subject for c in clips})) == DRAFT_COUNTS and not annotation.synthetic
    found = [count("gesture classes", len(annotation.classes), "10")]
    videos = Counter((name, c.lighting) for c in clips for name in c.streams)
    found.append(count("video clips of all modalities and lightings", sum(videos.values()), "31,020"))
    for lighting in LIGHTINGS:
        for name in DRAFT_SIZES:
            found.append(count(f"{name} clips, {lighting}", videos[name, lighting], "5,170"))
    for lighting in sorted({c.lighting for c in clips}):
        here = [c for c in clips if c.lighting == lighting]
        each = span(per_class(here, annotation.classes).values())
        found.append(count(f"clips per class, {lighting}", each, "517 each"))
    by_split = subjects_by_split(clips)
    for split, published in (("train", "16"), ("test", "5")):
        found.append(count(f"subjects of the {split} split", len(by_split[split]), published))
    lengths = [c.streams["rgb"].frames for c in clips if "rgb" in c.streams]
    found.append(count("frames of an rgb clip", span(lengths), "45 to 210"))
    seconds = sum(c.streams["rgb"].frames / c.streams["rgb"].fps for c in clips if "rgb" in c.streams)
    found.append(
        count("seconds of rgb in all lightings", f"{seconds:,.0f}", "8,721 in all" + ", see below" * drafts_own)
    )
    for name, (width, height) in DRAFT_SIZES.items():
        if name in sizes:
            found.append(count(f"size of {name}", "{} x {}".format(*sizes[name]), f"{width} x {height}"))
        else:
            found.append(Finding("", "note", "counts", f"no clip has the stream {name}; the draft has all three"))
    if extra := sorted(set(annotation.classes) - set(DRAFT_CLASSES)):
        found.append(Finding("", "note", "paper", f"classes that the draft does not name: {', '.join(extra)}"))
    if lacking := sorted(set(DRAFT_CLASSES) - set(annotation.classes)):
        found.append(Finding("", "note", "paper", f"classes of the draft that are not here: {', '.join(lacking)}"))
    found += [Finding("", "note", "paper", text) for text in DRAFT_CONTRADICTIONS if drafts_own]
    return found + balance(annotation)


CHECKS = ClipChecks(
    annotated=annotated_mgr_dark,
    rules=Rules(
        required=STREAMS,
        rates=dict.fromkeys(STREAMS, 25.0),
        lengths=dict.fromkeys(STREAMS, (45, 210)),
    ),
    notes=notes_mgr_dark,
    videos=("clips", ".mp4"),
)
