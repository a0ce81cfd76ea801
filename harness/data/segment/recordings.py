"""Continuous recordings of several gestures in sequence, as they come before segmentation (paper, section 3.1).

Layout of the folder::

  recordings.csv  recording_id,subject,scene,lighting,rgb_file,depth_file,ir_file,ir_offset_s
                  and, if wanted, pair_id, rgb_fps, depth_fps, ir_fps, depth_offset_s
                  files are relative to the folder, '' where a stream was not recorded (rgb must be there);
                  fps, from 1 to 1000, counts only for a file without time stamps; <stream>_offset_s = seconds from the
                  first rgb frame to the first frame of that stream ('' = 0, negative = it started earlier, at most a
                  day); pair_id ties the dark and the daylight recording
  segments.csv    recording_id,gesture,start_frame,end_frame
                  [start, end) in rgb frames from 0; only rgb is annotated
  subjects.csv, classes.txt and, for generated data, dataset.json as in the segmented data set
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.data.verify.finding import Finding
from harness.errors import unknown_name
from mtcd_plugin.formats.mgr_dark import (
    LIGHTINGS,
    STREAMS,
    SUBJECT_COLUMNS,
    add_subject,
    read_classes,
    stand_in,
)
from mtcd_plugin.formats.tables import (
    FPS,
    LAST_FRAME,
    LONGEST_OFFSET_S,
    read_rows,
    real_number,
    relative_path,
    unread_columns,
    whole_number,
)

RECORDING_COLUMNS = (
    "recording_id",
    "subject",
    "scene",
    "lighting",
    "rgb_file",
    "depth_file",
    "ir_file",
    "ir_offset_s",
)
OPTIONAL_COLUMNS = ("pair_id", "rgb_fps", "depth_fps", "ir_fps", "rgb_offset_s", "depth_offset_s")
SEGMENT_COLUMNS = ("recording_id", "gesture", "start_frame", "end_frame")
MEND = "correct the line and run again; what is already cut stays"


@dataclass(frozen=True)
class Source:
    """One stream of a recording: its first frame was taken at ``offset`` seconds of the recording's clock, which starts
    with the first rgb frame. ``fps``, 0 where it is not given, counts for a file without time stamps."""

    file: str
    fps: float
    offset: float


@dataclass(frozen=True)
class Recording:
    recording_id: str
    pair_id: str
    subject: str
    scene: str
    lighting: str
    sources: dict[str, Source]  # modality -> source


@dataclass(frozen=True)
class Segment:
    """One gesture: rgb frames [start, end) of a recording. ``pair_id`` ties the dark and the daylight take."""

    clip_id: str
    pair_id: str
    recording: Recording
    gesture: str
    start: int
    end: int


@dataclass(frozen=True)
class Recordings:
    segments: tuple[Segment, ...]  # by recording and time
    count: int  # of recordings
    findings: tuple[Finding, ...]


def read_recordings(root: Path) -> Recordings:
    """Read the tables to their end; a malformed line is a finding.

    Raises FileNotFoundError or ValueError for a table that is missing or lacks a column.
    """
    found: list[Finding] = []

    def rows(name: str, columns: tuple[str, ...], what: str, optional: tuple[str, ...] = ()):
        problems: list[str] = []
        lines = list(read_rows(root / name, columns, what, problems))
        found.extend(_malformed(problem) for problem in problems)
        if unread := unread_columns(root / name, columns, what, optional):
            found.append(Finding("", "warning", "columns", unread, "remove them, or correct their names"))
        return lines

    classes = read_classes(root / "classes.txt")
    subjects: dict[str, str] = {}
    for where, row in rows("subjects.csv", SUBJECT_COLUMNS, "the split by subject"):
        try:
            add_subject(row, where, subjects)
        except ValueError as error:
            found.append(_malformed(error))
            stand_in(row, subjects)
    recordings: dict[str, Recording] = {}
    for where, row in rows("recordings.csv", RECORDING_COLUMNS, "the recordings", OPTIONAL_COLUMNS):
        try:
            recording = _recording(row, where, subjects)
            if recording.recording_id in recordings:
                raise ValueError(f"{where}: recording {recording.recording_id!r} occurs twice")
            recordings[recording.recording_id] = recording
        except ValueError as error:
            found.append(_malformed(error))
    spans: dict[str, dict[int, tuple[int, str]]] = {name: {} for name in recordings}
    for where, row in rows("segments.csv", SEGMENT_COLUMNS, "the annotation"):
        try:
            start, end = _span(row, where, recordings, classes)
            here = spans[row["recording_id"]]
            if start in here:
                raise ValueError(f"{where}: a second gesture of {row['recording_id']} starts at frame {start}")
            here[start] = (end, row["gesture"])
        except ValueError as error:
            found.append(_malformed(error))
    for name, here in spans.items():
        found += _overlaps(name, here)
    segments = [s for name, here in spans.items() for s in _segments(recordings[name], here)]
    return Recordings(tuple(segments), len(recordings), tuple(found))


def _recording(row: dict[str, str], where: str, subjects: dict[str, str]) -> Recording:
    name = row["recording_id"]
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise ValueError(f"{where}: recording_id {name!r} must be of letters, digits, '.', '-' and '_'")
    if row["subject"] not in subjects:
        raise ValueError(f"{where}: subject {row['subject']!r} is not in subjects.csv")
    if row["lighting"] not in LIGHTINGS:
        raise ValueError(f"{where}: {unknown_name('lighting', row['lighting'], LIGHTINGS)}")
    if not row["rgb_file"]:
        raise ValueError(f"{where}: rgb_file is empty, but the annotation is in rgb frames")
    sources = {
        m: Source(
            relative_path(row[f"{m}_file"], f"{m}_file", where),
            _number(row, f"{m}_fps", where, *FPS),
            _number(row, f"{m}_offset_s", where, -LONGEST_OFFSET_S, LONGEST_OFFSET_S),
        )
        for m in STREAMS
        if row[f"{m}_file"]
    }
    if sources["rgb"].offset:
        raise ValueError(f"{where}: rgb_offset_s is {sources['rgb'].offset:g}, but rgb is the clock of the others")
    return Recording(name, row.get("pair_id", ""), row["subject"], row["scene"], row["lighting"], sources)


def _number(row: dict[str, str], name: str, where: str, low: float, high: float) -> float:
    """A column that may be empty or absent: 0 then."""
    text = row.get(name, "")
    return real_number(text, name, where, low, high) if text else 0.0


def _span(row: dict[str, str], where: str, recordings: dict[str, Recording], classes: tuple) -> tuple[int, int]:
    if row["recording_id"] not in recordings:
        raise ValueError(
            f"{where}: recording {row['recording_id']!r} is not in recordings.csv, or its line is malformed"
        )
    if row["gesture"] not in classes:
        raise ValueError(f"{where}: gesture {row['gesture']!r} is not in classes.txt: {', '.join(classes)}")
    start, end = (whole_number(row[name], name, where, 0, LAST_FRAME) for name in ("start_frame", "end_frame"))
    if start >= end:
        raise ValueError(f"{where}: the window [{start}, {end}) is empty")
    return start, end


def _segments(recording: Recording, spans: dict[int, tuple[int, str]]) -> list[Segment]:
    times: dict[str, int] = {}
    found = []
    for start, (end, gesture) in sorted(spans.items()):
        times[gesture] = times.get(gesture, 0) + 1
        pair = f"{recording.pair_id}_{plain(gesture)}_{times[gesture]}" if recording.pair_id else ""
        found.append(Segment(f"{recording.recording_id}_{start:06d}", pair, recording, gesture, start, end))
    return found


def _overlaps(name: str, spans: dict[int, tuple[int, str]]) -> list[Finding]:
    if not spans:
        text = f"recording {name} has no line in segments.csv"
        return [Finding("", "warning", "no annotation", text, "annotate it, or leave it out of recordings.csv")]
    ordered = sorted(spans.items())
    return [
        Finding(
            f"{name}_{later[0]:06d}",
            "warning",
            "overlap",
            f"starts at frame {later[0]}, before the gesture at frame {earlier[0]} ends ({earlier[1][0]})",
            "check the two lines of segments.csv",
        )
        for earlier, later in zip(ordered, ordered[1:], strict=False)
        if later[0] < earlier[1][0]
    ]


def plain(text: str) -> str:
    """A name as a part of a path."""
    return re.sub(r"[^\w-]+", "_", text)


def _malformed(problem: object) -> Finding:
    return Finding("", "error", "malformed", str(problem), MEND)
