"""Draws the pictures of test clips that the pages of runs show (``harness.ledger.clip_pictures``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from harness.data.clips import forget, select
from harness.data.describe.apart import run_apart
from harness.data.describe.moments import BRIGHTENED, brightened, read_moments, shown_as, strip
from harness.errors import first_of, one_line
from harness.ledger.clip_pictures import (
    Drawn,
    Index,
    Picture,
    Wanted,
    picture_folder,
    read_index,
    read_picture,
    save_picture,
    write_index,
)
from mtcd_plugin.formats.clips import Clip

MOST_BYTES = 4096  # of a picture, as far as quality allows
QUALITIES = (80, 60, 40, 25)
NAMED = 5  # clips without pictures that are named on the terminal


def draw_clips(
    work_dir: Path,
    wanted: Wanted,
    test_sets: Mapping[str, Mapping[str, Any]],
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Draw the pictures that are wanted and not there yet, of the test splits at hand.

    Args:
        test_sets: fingerprint of a test split -> the config of the data set that has it. Other splits are left alone.
        say: gets a line for clips that cannot be read, which their pages say as well.

    Raises:
        OSError: the work dir cannot be written.
    """
    missing = {where: _missing(work_dir, where, clips) for where, clips in sorted(wanted.items())}
    at_hand = [where for where in missing if where[1] in test_sets and missing[where]]
    if at_hand:
        forget()  # what was read before the jobs ran may have changed since
    for dataset, fingerprint in at_hand:
        config, streams = test_sets[fingerprint], missing[dataset, fingerprint]
        try:
            chosen = select(config)
        except (ValueError, OSError) as error:
            say(f"{dataset}: no pictures of clips on the pages of runs: {one_line(error)}")
            continue
        if chosen.fingerprint != fingerprint:
            say(f"{dataset}: no pictures of clips on the pages of runs: the clips changed while they ran")
            continue
        folder = picture_folder(work_dir, dataset, fingerprint)
        found = _drawn(folder, {c.clip_id: c for c in chosen.clips}, streams, f"{config['data_root']}/")
        write_index(folder, _merged(read_index(folder), found))
        _say_problems(dataset, found, say)


def _missing(work_dir: Path, where: tuple[str, str], streams: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    folder = picture_folder(work_dir, *where)
    index = read_index(folder)

    def is_drawn(clip_id: str, stream: str) -> bool:
        found = index.get(clip_id, {}).get(stream)
        return found is not None and not found.problem and all(read_picture(folder, p) for p in found.pictures)

    return sorted(s for s in streams if not is_drawn(*s))


def _drawn(folder: Path, clips: Mapping[str, Clip], streams: Collection[tuple[str, str]], root: str) -> Index:
    """Draw streams of clips into a folder. There is nothing to draw of a stream that a clip lacks."""
    found: Index = {}
    for clip_id, stream in streams:
        found.setdefault(clip_id, {})[stream] = Drawn()
    there = [(c, s) for c, s in streams if c in clips and s in clips[c].streams]
    done = run_apart(draw_stream, ((folder, clips[c], s) for c, s in there))
    for (clip_id, stream), (pictures, problem) in zip(there, done, strict=True):
        found[clip_id][stream] = Drawn(pictures=pictures or [], problem=problem.replace(root, ""))
    return found


def _merged(old: Index, new: Index) -> Index:
    return {clip_id: old.get(clip_id, {}) | new.get(clip_id, {}) for clip_id in old | new}


def draw_stream(folder: Path, clip: Clip, stream: str) -> list[Picture]:
    """Draw a stream of a clip: a few moments side by side, those of dark colour also brightened.

    Raises what ``read_frames`` does, and OSError where the folder cannot be written.
    """
    frames = read_moments(clip.streams[stream].path, clip.streams[stream], gray=stream != "rgb")
    pictures = []
    for shown in shown_as(stream, clip.lighting):
        image = strip(brightened(frames) if shown == BRIGHTENED else frames)
        height, width = image.shape[:2]
        pictures.append(save_picture(folder, encode(image), width, height, shown == BRIGHTENED))
    return pictures


def encode(image: np.ndarray) -> bytes:
    """An RGB image uint8 [height, width, 3] as JPEG, in the best quality that fits ``MOST_BYTES``."""
    content = b""
    for quality in QUALITIES:
        options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
        content = cv2.imencode(".jpg", image[:, :, ::-1], options)[1].tobytes()
        if len(content) <= MOST_BYTES:
            break
    return content


def _say_problems(dataset: str, found: Index, say: Callable[[str], None]) -> None:
    lines = [f"clip {c}, {s}: {d.problem}" for c, streams in found.items() for s, d in streams.items() if d.problem]
    if lines:
        say(f"{dataset}: no pictures on the pages of runs of {first_of(lines, NAMED)}")
