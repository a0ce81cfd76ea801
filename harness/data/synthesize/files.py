"""Writing files so that none is ever seen half-written."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from harness.ledger.files import atomic_replace
from mtcd_plugin.formats.file_url import file_url


def write_text(path: Path, text: str) -> None:
    """Write text with the line ends it has."""
    with atomic_replace(path, sync=False) as beside:
        beside.write_bytes(text.encode())


def write_json(path: Path, value: dict) -> None:
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_video(path: Path, frames: np.ndarray, fps: int, crf: int = 21) -> None:
    """Write uint8 frames [T,H,W,3] (RGB) or [T,H,W,1] (gray) as H.264; the container follows the suffix.

    The fastest preset and one thread: a synthetic set is thousands of small files, written side by side. No B-frames,
    because AVI has no presentation times.
    """
    gray = frames.shape[3] == 1

    with (
        atomic_replace(path, sync=False) as beside,
        av.open(file_url(beside), "w") as container,
    ):
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"crf": str(crf), "g": "12", "preset": "ultrafast", "bf": "0"}
        for frame in frames:
            image = frame[..., 0] if gray else frame
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="gray" if gray else "rgb24")))
        container.mux(stream.encode())
