"""NvGesture: its lists and logs read to the end, what should hold for it, and its counts beside the shipped ones."""

from __future__ import annotations

import re
from pathlib import Path

from harness.data.verify.annotations import MEND_FILE, MEND_LINE, SPLITS, Annotation, Findings, finished
from harness.data.verify.clip_set import ClipChecks
from harness.data.verify.clips import Rules
from harness.data.verify.finding import Finding
from harness.data.verify.nvgesture_logs import check_log
from harness.data.verify.published import balance, count, per_class, span, subjects_by_split
from mtcd_plugin.formats.clips import Clip
from mtcd_plugin.formats.nvgesture import CLASSES, DEFAULT_STREAMS, LIST_FILES, STREAMS, parse_line
from mtcd_plugin.formats.text import read_lines

# counted in the lists as shipped
CLIPS = {"train": 1050, "test": 482}
SUBJECTS = {"train": 12, "test": 6}
PER_CLASS = {"train": (36, 50), "test": (15, 22)}
RELABELLED = {"train": 15, "test": 8}


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
    return finished("NvGesture", root, clips, CLASSES, found)


def _path_of(line: str) -> str:
    """The clip that a malformed line of a list is about, '' if it does not tell."""
    match = re.search(r"(class_[0-9]+/subject[0-9]+_r[0-9]+)(?=\s|$)", line)
    return match.group(1) if match else ""


def notes_nvgesture(annotation: Annotation) -> list[Finding]:
    """Counts beside those of the lists as shipped."""
    clips, found = annotation.clips, []
    by_split = subjects_by_split(clips)
    for split in SPLITS:
        here = [c for c in clips if c.split == split]
        low, high = PER_CLASS[split]
        moved = sum(c.clip_id.split("/")[0] != f"class_{c.label + 1:02d}" for c in here)
        each = span(per_class(here, annotation.classes).values())
        found += [
            count(f"clips of the {split} list", len(here), f"{CLIPS[split]:,}", "the lists"),
            count(f"subjects of the {split} list", len(by_split[split]), str(SUBJECTS[split]), "the lists"),
            count(f"clips per class of the {split} list", each, f"{low} to {high}", "the v2 lists"),
            count(f"clips of the {split} list whose label is not their folder's", moved, str(RELABELLED[split]), "v2"),
        ]
    return found + balance(annotation)


CHECKS = ClipChecks(
    annotated=annotated_nvgesture,
    rules=Rules(
        required=tuple(DEFAULT_STREAMS.values()),
        rates={name: fps for name, (fps, _) in STREAMS.items()},
        lengths={name: (80, 80) if name.startswith("sk") else (93, 93) for name in STREAMS},
        check_log=check_log,
    ),
    notes=lambda annotation, _: notes_nvgesture(annotation),
    videos=("Video_data", ".avi"),
)
