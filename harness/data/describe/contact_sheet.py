"""Contact sheet: every gesture in every modality and lighting, over time, as one PNG for a person to look at.

It says on its face whether the data are synthetic: a picture travels without its page.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from harness.data.clips import RECORDED
from harness.data.describe.moments import (
    BACKGROUND,
    BRIGHTENED,
    MARGIN,
    THUMB,
    brightened,
    read_moments,
    shown_as,
    strip,
    strip_width,
)
from harness.data.describe.readable import open_readable
from harness.errors import BadUsage
from harness.ledger.files import atomic_replace
from mtcd_plugin.formats.clips import Clip

LABEL = 300  # width of the column of gesture names
HEAD = 88  # what data these are, and above what the columns are


def contact_sheet(root: Path, out: Path, quarantine: str | Path = "") -> list[str]:
    """One row per gesture: the first test clip of it, dark and daylight takes of one pair where there are such.

    Returns a line for each stream that could not be read; its place stays empty. BadUsage for a file name whose ending
    names no format of pictures.
    """
    if not cv2.haveImageWriter(str(out)):
        raise BadUsage(f"--out {out}: no picture can be written under that name; end it in .png (or .jpg)")
    data = open_readable(root, quarantine)
    table = data.table
    lightings = sorted({c.lighting for c in data.clips})
    columns = [(light, m) for light in lightings for m in _shown(light)]
    columns = [(light, m) for light, m in columns if _there(data.clips, light, m)]
    pitch = strip_width() + MARGIN + 6  # of the columns
    width = LABEL + len(columns) * pitch
    height = HEAD + len(table.classes) * (THUMB[1] + MARGIN)
    sheet = np.full((height, width, 3), BACKGROUND, np.uint8)
    made = f"{table.name} - SYNTHETIC DATA, generated videos"
    _write(sheet, made if table.synthetic else f"clips in the layout of {table.name}", 4, 32)  # maybe a user's own
    for i, (light, m) in enumerate(columns):
        _write(sheet, f"{light} {m}".strip(), LABEL + i * pitch + 4, HEAD - 12)
    for label, name in enumerate(table.classes):
        y = HEAD + label * (THUMB[1] + MARGIN)
        _write(sheet, name, 4, y + THUMB[1] // 2, LABEL - 8)
        clips = [c for c in data.clips if c.label == label]
        first = next((c for c in clips if c.split == "test"), clips[0] if clips else None)
        for i, (light, m) in enumerate(columns):
            clip = _of_pair(clips, first, light)
            stream = _stream(m)
            if clip is None or stream not in clip.streams:
                continue
            read = partial(read_moments, stream=clip.streams[stream], gray=stream != "rgb")
            frames = data.attempt(read, clip, stream)
            if frames is None:
                continue
            shown = strip(brightened(frames) if m == BRIGHTENED else frames)
            x = LABEL + i * pitch
            sheet[y : y + THUMB[1], x : x + shown.shape[1]] = shown
    with atomic_replace(out, sync=False) as beside:
        if not cv2.imwrite(str(beside), sheet[:, :, ::-1]):
            raise OSError(f"{out}: cannot be written")
    return data.left_out


def _there(clips: Iterable[Clip], lighting: str, shown: str) -> bool:
    return any(c.lighting == lighting and _stream(shown) in c.streams for c in clips)


def _stream(shown: str) -> str:
    """The stream that a column of this name is drawn from."""
    return "rgb" if shown == BRIGHTENED else shown


def _shown(lighting: str) -> list[str]:
    """What the columns of a lighting show."""
    return [x for m in RECORDED for x in shown_as(m, lighting)]


def _of_pair(clips: list[Clip], first: Clip | None, lighting: str) -> Clip | None:
    if first is None or first.lighting == lighting:
        return first
    same = [c for c in clips if c.lighting == lighting]
    return next((c for c in same if c.pair_id and c.pair_id == first.pair_id), same[0] if same else None)


def _write(image: np.ndarray, text: str, x: int, y: int, room: int = 0) -> None:
    """``room``: pixels that the text must fit in, by smaller letters; 0 for any number of them."""
    font, size, thick = cv2.FONT_HERSHEY_SIMPLEX, 0.9, 2
    (width, _), _ = cv2.getTextSize(text, font, size, thick)
    size *= min(1.0, room / width) if room and width else 1.0
    cv2.putText(image, text, (x, y), font, size, (20, 20, 20), thick, cv2.LINE_AA)
