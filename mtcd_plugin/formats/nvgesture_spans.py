"""Where in NvGesture's clips the gestures are: annotations of the set's users, not of NVIDIA.

A JSON file (https://github.com/vguptai/Neo-Nvidia-Annotations has one for each list), one object per clip::

    [{"video_path": "class_01/subject2_r0", "gesture_id": 1, "gesture_spans": ["85:106"]}, ...]

A span is ``first:last``, frames of the colour video from 0, both of them within the gesture. ``gesture_id`` is not
read: the label is that of the set's list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mtcd_plugin.formats.clips import Clip, ClipTable, Spans
from mtcd_plugin.formats.tables import LAST_FRAME
from mtcd_plugin.formats.text import read_lines

WHAT = "gesture spans"


def read_spans(path: Path) -> dict[str, Spans]:
    """Clip -> its spans, in order of time. FileNotFoundError or ValueError: one line with the file and the clip."""
    try:
        rows = json.loads("\n".join(read_lines(path, WHAT)))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} ({WHAT}): not valid JSON ({error})") from None
    if not isinstance(rows, list):
        raise ValueError(f"{path} ({WHAT}): expected a list of objects, one per clip")
    found: dict[str, Spans] = {}
    for number, row in enumerate(rows):
        where = f"{path} ({WHAT}): entry {number}"
        clip, texts = (
            (row.get(key) for key in ("video_path", "gesture_spans")) if isinstance(row, dict) else (None,) * 2
        )
        if not isinstance(clip, str) or not isinstance(texts, list) or not texts:
            raise ValueError(f'{where} is not of the form {{"video_path": "...", "gesture_spans": ["first:last"]}}')
        if clip in found:
            raise ValueError(f"{where}: clip {clip} occurs twice")
        found[clip] = tuple(sorted(_span(text, f"{where}, clip {clip}") for text in texts))
        if any(a[1] >= b[0] for a, b in zip(found[clip], found[clip][1:], strict=False)):
            raise ValueError(f"{where}: the spans of clip {clip} overlap")
    return found


def with_spans(table: ClipTable, path: Path) -> ClipTable:
    """A table whose training clips have the spans of a file; a clip that the file lacks keeps none.

    Raises:
        FileNotFoundError, ValueError: as :func:`read_spans`; or a clip that is not of the training list. Spans of
            test clips are never used.
    """
    spans = read_spans(path)
    split = {clip.clip_id: clip.split for clip in table.clips}
    for clip_id in spans:
        if split.get(clip_id) != "train":
            what = "a test clip" if clip_id in split else "no clip of the lists"
            raise ValueError(f"{path} ({WHAT}): {clip_id} is {what}; give the spans of the training list")
    return replace(table, clips=tuple(_given(table.clips, spans)))


def _given(clips: Iterable[Clip], spans: dict[str, Spans]) -> Iterable[Clip]:
    for clip in clips:
        if clip.clip_id not in spans:
            yield clip
        elif "rgb" not in clip.streams:
            raise ValueError(f"clip {clip.clip_id} has no rgb stream, in whose frames its gesture's spans are")
        else:
            yield replace(clip, spans=spans[clip.clip_id])


def _span(text: object, where: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,18}):([0-9]{1,18})", text) if isinstance(text, str) else None
    if match is None or not int(match[1]) < int(match[2]) <= LAST_FRAME:
        raise ValueError(f"{where}: span {text!r} is not first:last, frames of the colour video, first < last")
    return int(match[1]), int(match[2])
