"""MGR-Dark on disk: annotations.csv, subjects.csv, classes.txt and one mp4 per take and modality."""

from __future__ import annotations

import csv
import io
from collections.abc import Container
from pathlib import Path
from typing import Any

from harness.data.synthesize.files import write_text, write_video
from harness.data.synthesize.mgr_dark import (
    FPS,
    LIGHTINGS,
    MODALITIES,
    SUBJECTS,
    Take,
    frame_count,
    plan_takes,
    render_take,
    split_of,
)
from harness.data.synthesize.motion import GESTURES

PRESETS: dict[str, dict[str, Any]] = {
    "demo": {"train_per_class": None, "test_per_class": None, "scale": 1.0},
    "smoke": {"train_per_class": 3, "test_per_class": 2, "scale": 0.5},
}

DARK_CRF = 8
"""Of colour videos of the dark, whose noise and signal are of a few steps of the coding: the usual compression would
take both away, this one no more of them than 8-bit YUV does by itself."""


def plan(seed: int, preset: str, light: float = 1.0) -> list[Take]:
    """The takes of a preset, those in the dark with so many times the light of their places."""
    options = {k: v for k, v in PRESETS[preset].items() if k != "scale"}
    return plan_takes(seed, **options, light=light)


def streams(take: Take) -> tuple[str, ...]:
    """The modalities that are recorded of a take: in another light than that of the place all but depth, which does
    not see it and which no method learns from together with colour and infrared."""
    return MODALITIES if take.light == 1 else ("rgb", "ir")


def parts_of(take: Take) -> tuple[str, ...]:
    """The parts of the set that a take has videos of, in the order of ``streams``."""
    return tuple(f"{take.lighting} {m}" for m in streams(take))


def video_file(take: Take, modality: str) -> str:
    """Path of a clip below the root of the set."""
    return f"clips/{take.lighting}/{modality}/{take.gesture.replace(' ', '_')}/{take.clip_id}.mp4"


def write_take(root: Path, take: Take, seed: int, preset: str, parts: Container[str] | None = None) -> None:
    """Render and write the videos of a take that are not there yet; those of some parts alone, where they are given."""
    wanted = [m for m, part in zip(streams(take), parts_of(take), strict=True) if parts is None or part in parts]
    missing = tuple(m for m in wanted if not (root / video_file(take, m)).exists())
    if not missing:
        return
    for modality, frames in render_take(take, seed, PRESETS[preset]["scale"], missing).items():
        quality = {"crf": DARK_CRF} if (take.lighting, modality) == ("dark", "rgb") else {}
        write_video(root / video_file(take, modality), frames, FPS, **quality)


def write_tables(root: Path, takes: list[Take], seed: int) -> dict:
    """Write the three tables; returns the counts for dataset.json."""
    columns = ["clip_id", "pair_id", "subject", "scene", "gesture", "lighting"]
    columns += [f"{m}_{part}" for m in MODALITIES for part in ("file", "fps", "start", "end")]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for take in takes:
        row: list[str | int] = [take.clip_id, take.pair_id, take.subject, take.scene, take.gesture, take.lighting]
        for m in MODALITIES:
            row += [video_file(take, m) if m in streams(take) else "", FPS, 0, frame_count(take, seed)]
        table.writerow(row)
    write_text(root / "classes.txt", "".join(f"{g}\n" for g in GESTURES))
    write_text(root / "subjects.csv", "subject,split\n" + "".join(f"{s},{split_of(s)}\n" for s in SUBJECTS))
    write_text(root / "annotations.csv", text.getvalue())
    counts = {
        f"{split}_{light}": sum(t.lighting == light and split_of(t.subject) == split for t in takes)
        for split in ("train", "test")
        for light in LIGHTINGS
    }
    return {
        "name": "MGR-Dark",
        "classes": len(GESTURES),
        "subjects": len({t.subject for t in takes}),
        "scenes": len({t.scene for t in takes}),
        "clips": len(takes),
        "videos": sum(len(streams(t)) for t in takes),
        **counts,
    }
