"""NvGesture exactly as NVIDIA ships it (the extracted folder ``nvGesture_v1``).

List files hold one clip per line, with a trailing space and, in v1, no final newline (here broken in two)::

    path:./Video_data/class_01/subject3_r0 depth:sk_depth:146:226 color:sk_color:146:226
    duo_left:duo_left:170:263 label:1

Windows are [start, end) from 0, labels 1..25. The label is the list's: in v2 it differs from the class of
the folder for 15 training and 8 test clips. Each stream has a log, ``<stream>_log.txt``, with one line per
frame, ``img00000.png <unix nanoseconds>``; the number is that of the frame, from 0.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Mapping
from pathlib import Path

from mtcd_plugin.formats.clips import Clip, ClipTable, Stream
from mtcd_plugin.formats.nvgesture_spans import with_spans
from mtcd_plugin.formats.tables import LAST_FRAME, relative_path
from mtcd_plugin.formats.text import check_place, is_synthetic, read_lines

CLASSES = (
    "5-finger move right",
    "5-finger move left",
    "5-finger move up",
    "5-finger move down",
    "2-finger move right",
    "2-finger move left",
    "2-finger move up",
    "2-finger move down",
    "click",
    "beckon",
    "stretch hand",
    "shake hand",
    "one",
    "two",
    "three",
    "lift up",
    "press down",
    "push",
    "shrink",
    "levorotation",
    "dextrorotation",
    "two fingers prod",
    "grab",
    "thumbs up",
    "OK",
)
# Frame rate of each stream, and the field of a list line that holds its window: the warped colour follows
# colour, and the right infrared camera follows the left one, unless the line has a field of its own.
STREAMS = {
    "sk_color": (30.0, "color"),
    "sk_depth": (30.0, "depth"),
    "sk_wrapped": (30.0, "color"),
    "duo_left": (35.0, "duo_left"),
    "duo_right": (35.0, "duo_left"),
}
DEFAULT_STREAMS = {"rgb": "sk_color", "depth": "sk_depth", "ir": "duo_left"}
MARK = "Video_data"
LIST_FILES = {
    "v1": "nvgesture_{split}_correct_cvpr2016.lst",
    "v2": "nvgesture_{split}_correct_cvpr2016_v2.lst",
}
MODALITIES = ("rgb", "depth", "ir")
LOG_LINE = re.compile(r"^[ \t]*img([0-9]{1,9})\.png[ \t]+([0-9]{1,30})[ \t]*$", re.MULTILINE)


def read_nvgesture(
    root: str, streams: Mapping[str, str] = DEFAULT_STREAMS, lists: str = "v2", spans: str = ""
) -> ClipTable:
    """Read the list files and time stamp logs of NvGesture.

    Args:
        root: the extracted folder, which holds the .lst files and ``Video_data``.
        streams: modality -> one of the five streams.
        lists: ``v2`` (corrected labels) or ``v1``.
        spans: file with the gestures' spans in training clips (``nvgesture_spans``), also relative to ``root``; '' for
            none.

    Raises:
        FileNotFoundError, ValueError: one line with file, line number and what is wrong; a person in both lists
            is wrong too, the lists as shipped share none. Video files are not looked at. A log that is missing or
            unusable is not an error: see ``Stream.clock``.
    """
    if lists not in LIST_FILES:
        raise ValueError(f"lists={lists!r} is unknown; choose from {', '.join(LIST_FILES)}")
    for modality, stream in streams.items():
        if modality not in MODALITIES:
            raise ValueError(f"streams: {modality!r} is no modality; choose from {', '.join(MODALITIES)}")
        if stream not in STREAMS:
            raise ValueError(f"streams: {stream!r} is no stream; choose from {', '.join(STREAMS)}")
    base = Path(root)
    check_place(base, MARK)
    clips: dict[str, Clip] = {}
    splits: dict[str, str] = {}  # of each person
    for split in ("train", "test"):
        path = base / LIST_FILES[lists].format(split=split)
        for number, line in enumerate(read_lines(path, f"NvGesture's {split} list"), 1):
            if not line.strip():
                continue
            clip = parse_line(line, f"{path} line {number}", base, split, streams)
            if clip.clip_id in clips:
                raise ValueError(f"{path} line {number}: clip {clip.clip_id} occurs twice")
            if splits.setdefault(clip.subject, split) != split:
                raise ValueError(f"{path} line {number}: {clip.subject} is both in the training and in the test list")
            clips[clip.clip_id] = clip
    table = ClipTable(tuple(clips.values()), CLASSES, is_synthetic(base), "NvGesture")
    return with_spans(table, base / spans) if spans else table


def parse_line(line: str, where: str, base: Path, split: str, streams: Mapping[str, str]) -> Clip:
    """One line of a list file as a clip; ``where`` opens every error message."""
    fields: dict[str, str] = {}
    for token in line.split():
        name, colon, value = token.partition(":")
        if not colon or not value:
            raise ValueError(
                f"{where}: {token!r} is not of the form name:value (spaces separate the fields, no path can hold one)"
            )
        if name in fields:
            raise ValueError(f"{where}: field {name!r} occurs twice")
        fields[name] = value
    for name in ("path", "label"):
        if name not in fields:
            raise ValueError(f"{where}: field {name!r} is missing")
    if not re.fullmatch(r"[0-9]{1,9}", fields["label"]) or not 1 <= int(fields["label"]) <= len(CLASSES):
        raise ValueError(f"{where}: label {fields['label']!r} is not a number from 1 to {len(CLASSES)}")
    folder = os.path.normpath(relative_path(fields["path"], "path", where))
    subject = re.fullmatch(r"subject([0-9]{1,9})_r[0-9]+", os.path.basename(folder))
    if subject is None:
        raise ValueError(f"{where}: path {fields['path']!r} does not end in subject<S>_r<R>")
    found = {}
    for modality, stream in streams.items():
        field = stream if stream in fields else STREAMS[stream][1]
        if field in fields:
            start, end = _window(field, fields[field], where)
            found[modality] = _stream(base / folder, stream, start, end)
    return Clip(
        clip_id=folder.removeprefix("Video_data/"),
        subject=f"subject{int(subject.group(1))}",  # one person, however many zeros the number has
        label=int(fields["label"]) - 1,
        split=split,
        streams=found,
    )


def read_times(path: Path, start: int, end: int) -> tuple[tuple[float, ...] | None, str]:
    """Seconds of frames [start, end) by a log, or None, and which clock that leaves ("log" or "fps: why").

    A line belongs to the frame that it names, wherever it stands: blank and malformed lines shift nothing.
    """
    if not os.path.isfile(path):
        return None, "fps: the log is missing"
    try:
        found, problems = read_log(path)
    except ValueError:
        return None, "fps: the log is not a text file"
    if not found:
        return None, f"fps: the log has no time stamp ({problems[0]})" if problems else "fps: the log is empty"
    absent = next((number for number in range(start, end) if number not in found), None)
    if absent is not None:
        if absent > max(found):
            return None, f"fps: the log ends with frame {max(found)}, the window with frame {end - 1}"
        return None, f"fps: the log has no time stamp of frame {absent}"
    stamps = [found[number] for number in range(start, end)]
    if max(stamps) >= 2**63:
        return None, "fps: the log has a time stamp that is no Unix time in nanoseconds"
    if not all(map(operator.lt, stamps, stamps[1:])):
        return None, "fps: the log's time stamps do not increase"
    return tuple([stamp / 1e9 for stamp in stamps]), "log"


def read_log(path: Path) -> tuple[dict[int, int], list[str]]:
    """Time stamps in nanoseconds by frame number, and what is wrong with each of the other lines.

    A frame that two lines name has no time stamp. Blank lines at the end are not counted as wrong. Raises
    FileNotFoundError, or ValueError for a file that is no text.
    """
    lines = read_lines(path, "time stamps")
    while lines and not lines[-1].strip():
        lines.pop()
    found = {int(number): int(stamp) for number, stamp in LOG_LINE.findall("\n".join(lines))}
    if len(found) == len(lines):
        return found, []
    seen: set[int] = set()
    twice: set[int] = set()
    problems = []
    for place, line in enumerate(lines, 1):
        match = LOG_LINE.match(line)
        if match is None:
            fault = "is no 'img<frame>.png <nanoseconds>'" if line.strip() else "is blank"
            problems.append(f"line {place} {fault}")
            continue
        number = int(match[1])
        if number in seen:
            twice.add(number)
            problems.append(f"line {place} names frame {number} again")
        seen.add(number)
    return {number: stamp for number, stamp in found.items() if number not in twice}, problems


def _window(name: str, value: str, where: str) -> tuple[int, int]:
    match = re.fullmatch(r"[a-z_]+:([0-9]{1,18}):([0-9]{1,18})", value)
    if match is None:
        raise ValueError(f"{where}: {name}:{value} is not of the form {name}:<stream>:<start>:<end>")
    start, end = int(match.group(1)), int(match.group(2))
    if not start < end <= LAST_FRAME:
        raise ValueError(f"{where}: {name} window [{start}, {end}) is empty, or ends beyond frame {LAST_FRAME}")
    return start, end


def _stream(folder: Path, name: str, start: int, end: int) -> Stream:
    times, clock = read_times(folder / f"{name}_log.txt", start, end)
    return Stream(str(folder / f"{name}.avi"), start, end, STREAMS[name][0], times, clock)
