"""Counts of a data set beside the numbers that were published for it. All of them are notes, never errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from harness.data.verify.annotations import Annotation
from harness.data.verify.finding import Finding
from mtcd_plugin.formats.clips import Clip

# MGR-Dark: the draft, section 3
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
DRAFT_SIZES = {"rgb": (1920, 1080), "depth": (512, 424), "ir": (1408, 1068)}
# NvGesture: counted in the lists as shipped
NV_CLIPS = {"train": 1050, "test": 482}
NV_SUBJECTS = {"train": 12, "test": 6}
NV_PER_CLASS = {"train": (36, 50), "test": (15, 22)}
NV_RELABELLED = {"train": 15, "test": 8}

DRAFT_CONTRADICTIONS = (
    "the draft speaks of 10 gesture classes and names 9 (" + ", ".join(DRAFT_CLASSES) + "); the tenth is unknown",
    "the draft's total of 8,721 s is impossible: 5,170 clips of at least 1.8 s "
    "are 9,306 s for one modality and lighting",
    "the draft names the colour camera Kinect V2 and Kinect V4, and gives Kinect "
    "V2 12 megapixels; at 1920 x 1080 it has 2",
    "the draft does not say which 16 subjects train and which 5 test: results depend on subjects.csv",
)


def notes_mgr_dark(annotation: Annotation, sizes: dict[str, tuple[int, int]]) -> list[Finding]:
    """``sizes``: modality -> usual (width, height)."""
    clips = annotation.clips
    found = [_count("gesture classes", len(annotation.classes), "10")]
    videos = Counter((name, c.lighting) for c in clips for name in c.streams)
    found.append(_count("video clips of all modalities and lightings", sum(videos.values()), "31,020"))
    for lighting in ("dark", "daylight"):
        for name in DRAFT_SIZES:
            found.append(_count(f"{name} clips, {lighting}", videos[name, lighting], "5,170"))
    for lighting in sorted({c.lighting for c in clips}):
        here = [c for c in clips if c.lighting == lighting]
        per_class = _range(_per_class(here, annotation.classes).values())
        found.append(_count(f"clips per class, {lighting}", per_class, "517 each"))
    by_split = _subjects(clips)
    for split, published in (("train", "16"), ("test", "5")):
        found.append(_count(f"subjects of the {split} split", len(by_split[split]), published))
    lengths = [c.streams["rgb"].frames for c in clips if "rgb" in c.streams]
    found.append(_count("frames of an rgb clip", _range(lengths), "45 to 210"))
    seconds = sum(c.streams["rgb"].frames / c.streams["rgb"].fps for c in clips if "rgb" in c.streams)
    found.append(_count("seconds of rgb in all lightings", f"{seconds:,.0f}", "8,721 in all, see below"))
    for name, (width, height) in DRAFT_SIZES.items():
        if name in sizes:
            found.append(_count(f"size of {name}", "{} x {}".format(*sizes[name]), f"{width} x {height}"))
        else:
            found.append(Finding("", "note", "counts", f"no clip has a {name} stream; the draft has all three"))
    if extra := sorted(set(annotation.classes) - set(DRAFT_CLASSES)):
        found.append(Finding("", "note", "paper", f"classes that the draft does not name: {', '.join(extra)}"))
    if lacking := sorted(set(DRAFT_CLASSES) - set(annotation.classes)):
        found.append(Finding("", "note", "paper", f"classes of the draft that are not here: {', '.join(lacking)}"))
    found += [Finding("", "note", "paper", text) for text in DRAFT_CONTRADICTIONS]
    return found + _balance(annotation)


def notes_nvgesture(annotation: Annotation) -> list[Finding]:
    clips, found = annotation.clips, []
    by_split = _subjects(clips)
    for split in ("train", "test"):
        here = [c for c in clips if c.split == split]
        low, high = NV_PER_CLASS[split]
        moved = sum(c.clip_id.split("/")[0] != f"class_{c.label + 1:02d}" for c in here)
        per_class = _range(_per_class(here, annotation.classes).values())
        found += [
            _count(f"clips of the {split} list", len(here), f"{NV_CLIPS[split]:,}", "the lists"),
            _count(f"subjects of the {split} list", len(by_split[split]), str(NV_SUBJECTS[split]), "the lists"),
            _count(f"clips per class of the {split} list", per_class, f"{low} to {high}", "the v2 lists"),
            _count(
                f"clips of the {split} list whose label is not their folder's", moved, str(NV_RELABELLED[split]), "v2"
            ),
        ]
    return found + _balance(annotation)


def unlisted(root: Path, clips: Iterable[Clip], folder: str, suffix: str) -> list[Finding]:
    """A note where video files lie below ``folder`` that no clip names."""
    listed = {s.path for c in clips for s in c.streams.values()}
    extra = sorted(str(p) for p in (root / folder).rglob(f"*{suffix}") if str(p) not in listed)
    if not extra:
        return []
    first = Path(extra[0]).relative_to(root)
    text = f"{len(extra)} video files below {folder}/ are in no annotation, the first is {first}"
    return [Finding("", "note", "files", text, "nothing to do, or add them to the annotation")]


def _balance(annotation: Annotation) -> list[Finding]:
    found = []
    for split in ("train", "test"):
        here = [c for c in annotation.clips if c.split == split]
        empty = [name for name, count in _per_class(here, annotation.classes).items() if not count]
        if empty:
            text = f"classes without a clip in the {split} split: {', '.join(empty)}"
            found.append(Finding("", "warning", "class balance", text, "check the annotation and the split"))
    return found


def _count(what: str, here: object, published: str, source: str = "the draft") -> Finding:
    shown = f"{here:,}" if isinstance(here, int) else here
    return Finding("", "note", "counts", f"{what}: {shown} here; {source}: {published}")


def _per_class(clips: list[Clip], classes: tuple[str, ...]) -> dict[str, int]:
    counts = Counter(c.label for c in clips)
    return {name: counts[number] for number, name in enumerate(classes)}


def _subjects(clips: Iterable[Clip]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"train": set(), "test": set()}
    for clip in clips:
        found[clip.split].add(clip.subject)
    return found


def _range(values: Iterable[int]) -> str:
    values = list(values)
    return f"{min(values)} to {max(values)}" if values else "none"
