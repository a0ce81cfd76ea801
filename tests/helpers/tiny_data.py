"""Tiny data sets in the true layouts: real H.264 files of 32 x 24 pixels, seconds to write.

The brightness of a frame tells its time (``level``), so a test can see from pixels which instant was read.
"""

from __future__ import annotations

import csv
import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from mtcd_plugin.formats.mgr_dark import COLUMNS
from mtcd_plugin.formats.nvgesture import LIST_FILES, STREAMS
from mtcd_plugin.formats.video import write_video

WIDTH, HEIGHT = 32, 24
GESTURES = ("forward", "backward", "stop")
SUBJECTS = {"s1": "train", "s2": "train", "s3": "train", "s4": "test"}
MGR_FRAMES = 12
NV_EPOCH = 1_400_000_000_000_000_000  # ns
NV_TRAIN = [("class_01", "subject3_r0", 1), ("class_02", "subject3_r1", 2), ("class_20", "subject6_r0", 21)]
NV_TEST = [("class_01", "subject5_r0", 1), ("class_25", "subject8_r2", 25)]


def level(seconds):
    """Grey level of a frame at a time since the start of its clip's recording (0..4 s): 20..220."""
    return np.rint(20 + 50 * np.asarray(seconds)).astype(np.uint8)


def flat_frames(seconds, channels: int = 1) -> np.ndarray:
    """Frames of one brightness each, with a brighter left half (so that a flip would show)."""
    frames = np.zeros((len(seconds), HEIGHT, WIDTH, channels), np.uint8)
    frames[...] = level(seconds)[:, None, None, None]
    frames[:, :, : WIDTH // 2] += 20
    return frames


def write_mgr_dark(root: Path) -> Path:
    rows = []
    for lighting in ("dark", "daylight"):
        for subject in SUBJECTS:
            for number, gesture in enumerate(GESTURES):
                pair = f"{subject}_{gesture}".replace(" ", "_")
                row = {
                    "clip_id": f"{pair}_{lighting}",
                    "pair_id": pair,
                    "subject": subject,
                    "scene": f"scene{number}",
                    "gesture": gesture,
                    "lighting": lighting,
                }
                for stream, fps in (("rgb", 25), ("depth", 25), ("ir", 12.5)):
                    frames = MGR_FRAMES if fps == 25 else MGR_FRAMES // 2
                    file = f"clips/{lighting}/{stream}/{gesture}/{row['clip_id']}.mp4"
                    seconds = np.arange(frames) / fps
                    write_video(str(root / file), flat_frames(seconds, 3 if stream == "rgb" else 1), fps, crf=0)
                    row |= {f"{stream}_file": file, f"{stream}_fps": fps}
                    row |= {f"{stream}_start": 0, f"{stream}_end": frames}
                rows.append(row)
    write_mgr_dark_tables(root, rows)
    (root / "dataset.json").write_text(json.dumps({"name": "MGR-Dark", "synthetic": True}))
    return root


def write_mgr_dark_tables(root: Path, rows: list[dict], subjects=SUBJECTS, classes=GESTURES) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with open(root / "annotations.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with open(root / "subjects.csv", "w", newline="") as file:
        csv.writer(file).writerows([("subject", "split"), *subjects.items()])
    (root / "classes.txt").write_text("\n".join(classes) + "\n")


def zero_in_secret(path) -> None:
    """Replace a file's content by zeros and restore size and times, in place."""
    stat = os.stat(path)
    with open(path, "r+b") as file:
        file.write(bytes(stat.st_size))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def huge_png(width: int = 16000, height: int = 16000) -> bytes:
    """A PNG of one bit per pixel, all black: 32 kB that a decoder makes three bytes per pixel of."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def nv_line(folder: str, take: str, label: int, colour=(20, 100), duo=(23, 116)) -> str:
    """A list line as shipped, with its trailing space."""
    return (
        f"path:./Video_data/{folder}/{take} depth:sk_depth:{colour[0]}:{colour[1]} "
        f"color:sk_color:{colour[0]}:{colour[1]} duo_left:duo_left:{duo[0]}:{duo[1]} label:{label} "
    )


def write_nvgesture(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for split, clips in (("train", NV_TRAIN), ("test", NV_TEST)):
        for version in ("v1", "v2"):
            lines = [
                nv_line(folder, take, label if version == "v2" else int(folder[-2:])) for folder, take, label in clips
            ]
            end = "" if version == "v1" else "\n"
            (root / LIST_FILES[version].format(split=split)).write_text("\n".join(lines) + end)
        for folder, take, _ in clips:
            for stream, (fps, _) in STREAMS.items():
                frames = 110 if fps == 30 else 128
                start = 0.0 if fps == 30 else 0.05  # the infrared camera starts 50 ms later
                seconds = start + np.arange(frames) / fps
                base = root / "Video_data" / folder / take
                channels = 3 if stream in ("sk_color", "sk_wrapped") else 1
                write_video(str(base / f"{stream}.avi"), flat_frames(seconds, channels), fps, crf=0)
                write_log(base / f"{stream}_log.txt", seconds)
    return root


def write_log(path: Path, seconds) -> None:
    stamps = NV_EPOCH + np.rint(np.asarray(seconds) * 1e9).astype(np.int64)
    path.write_text("".join(f"img{number:05d}.png {stamp}\n" for number, stamp in enumerate(stamps)))
