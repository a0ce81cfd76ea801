"""A small clip set to measure loading with: MGR-Dark's layout, moving noise, as large as a camera's frames."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np

from mtcd_plugin.formats.mgr_dark import COLUMNS, STREAMS
from mtcd_plugin.formats.video import write_video

DATA_SET = "mgr_dark"  # whose layout is written
DATA_SET_CLASS = "MGRDarkDataset"  # that reads it
FPS = 25
SUBJECTS = {"s1": "train", "s2": "test"}


def write_clip_set(
    root: Path,
    clips: int,
    frames: int = 60,
    size: tuple[int, int] = (1920, 1080),
    other_size: tuple[int, int] = (640, 480),
) -> Path:
    """Write ``clips`` training clips (and no other) of ``frames`` frames: RGB of ``size`` (width, height), depth and
    infrared of ``other_size``.

    Every clip shows its own texture drifting by a few pixels per frame under sensor noise, so that a decoder has
    motion and residuals to work on. Encoded by x264 as ``write_video`` does (a key frame every 12).
    """
    rows = []
    for number in range(clips):
        row: dict[str, str | int] = {
            "clip_id": f"clip{number}",
            "pair_id": f"clip{number}",
            "subject": "s1",
            "scene": "none",
            "gesture": f"gesture{number % 2}",
            "lighting": "dark",
        }
        for stream in STREAMS:
            video = f"clips/dark/{stream}/clip{number}.mp4"
            shape = (size, 3) if stream == "rgb" else (other_size, 1)
            write_video(str(root / video), moving_noise(frames, *shape, number), FPS)
            row |= {f"{stream}_file": video, f"{stream}_fps": FPS}
            row |= {f"{stream}_start": 0, f"{stream}_end": frames}
        rows.append(row)
    with open(root / "annotations.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with open(root / "subjects.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("subject", "split"), *SUBJECTS.items()])
    (root / "classes.txt").write_text("gesture0\ngesture1\n", encoding="utf-8")
    (root / "dataset.json").write_text(json.dumps({"name": "loader benchmark", "synthetic": True}))
    return root


def moving_noise(frames: int, size: tuple[int, int], channels: int, seed: int) -> np.ndarray:
    """uint8 [frames, height, width, channels]."""
    rng = np.random.default_rng(seed)
    width, height = size
    coarse = rng.integers(0, 200, (height // 40 + 2, width // 40 + 2, channels), np.uint8)
    texture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)
    noise = rng.integers(0, 12, (height, width, channels), np.uint8)
    out = np.empty((frames, height, width, channels), np.uint8)
    for number in range(frames):
        image = np.roll(texture, (number, 3 * number), (0, 1))
        cv2.add(image, np.roll(noise, 97 * number, 1), out[number])
    return out
