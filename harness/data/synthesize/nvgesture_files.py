"""NvGesture on disk as NVIDIA ships it: AVI files, time stamp logs, nucleus files and the lists v1 and v2."""

from __future__ import annotations

import shutil
from collections.abc import Container
from pathlib import Path
from typing import Any

from harness.data.sets.nvgesture import PART_OF
from harness.data.synthesize.files import write_text, write_video
from harness.data.synthesize.nvgesture import (
    CLASSES,
    COLOUR_FPS,
    COLOUR_WINDOW,
    DUO_FPS,
    DUO_WINDOW,
    SUBJECTS,
    Take,
    nucleus,
    plan_takes,
    record,
    render_take,
)
from harness.data.synthesize.seeding import generator
from harness.ledger.files import atomic_replace

PRESETS: dict[str, dict[str, Any]] = {
    "demo": {"per_class": None, "frames": 100, "size": (160, 120), "chunk": 10},
    "smoke": {"per_class": {"train": 2, "test": 1}, "frames": 84, "size": (80, 60), "chunk": 28},
}
FPS = {
    "sk_color": COLOUR_FPS,
    "sk_depth": COLOUR_FPS,
    "sk_wrapped": COLOUR_FPS,
    "duo_left": DUO_FPS,
    "duo_right": DUO_FPS,
}
_CLOCK = {"sk_color": "colour", "sk_depth": "depth", "sk_wrapped": "colour", "duo_left": "duo", "duo_right": "duo"}
_COPIES = {"sk_wrapped": "sk_color", "duo_right": "duo_left"}
NOTE = (
    "Synthetic stand-in for NvGesture, procedurally rendered. Unlike the real set: recordings are shorter (the real "
    "ones last about 8 s), frames smaller (320x240), one take per subject and class (three in the test split). "
    "sk_wrapped is a copy of sk_color (both are seen from the depth camera), duo_right of duo_left, without parallax."
)


def plan(seed: int, preset: str) -> list[Take]:  # noqa: ARG001  as every generator's
    """The takes of a preset; they do not depend on the seed."""
    return plan_takes(PRESETS[preset]["per_class"])


def parts_of(take: Take) -> tuple[str, ...]:  # noqa: ARG001  every recording has all
    """The parts of the set that a recording has videos of: one a modality."""
    return tuple(dict.fromkeys(PART_OF.values()))


def write_take(root: Path, take: Take, seed: int, preset: str, parts: Container[str] | None = None) -> None:
    """Render and write the files of a recording that are not there yet; videos of some parts alone, where they are
    given, with the logs of all streams."""
    folder = root / "Video_data" / take.clip_id
    frames, size, chunk = (PRESETS[preset][k] for k in ("frames", "size", "chunk"))
    recording = record(take, seed, frames)
    for stream, clock in _CLOCK.items():
        stamps = getattr(recording, clock)
        write_text(folder / f"{stream}_log.txt", "".join(f"img{i:05d}.png {ns}\n" for i, ns in enumerate(stamps)))
    known = generator(seed, "nvgesture nucleus", take.clip_id).random() < 0.4
    write_text(folder / "nucleus.txt", "{}:{}\n".format(*nucleus(take, seed, recording)) if known else "")

    def file(stream: str) -> Path:
        return folder / f"{stream}.avi"

    wanted = [s for s in FPS if parts is None or PART_OF[s] in parts]
    missing = [s for s in wanted if s not in _COPIES and not file(s).exists()]
    videos = render_take(take, seed, frames, size, tuple(missing), chunk) if missing else {}
    for stream in missing:
        write_video(file(stream), videos[stream], FPS[stream])
    for copy, stream in _COPIES.items():
        if copy in wanted and not file(copy).exists():
            with atomic_replace(file(copy), sync=False) as beside:
                shutil.copyfile(file(stream), beside)


def list_line(take: Take, seed: int, frames: int, label: int) -> str:
    """A line of a list file, with the trailing space and without line end."""
    recording = record(take, seed, frames)

    def window(stream: str, start: int, length: int) -> str:
        return f"{stream}:{start}:{start + length}"

    return (
        f"path:./Video_data/{take.clip_id} depth:{window('sk_depth', recording.depth_start, COLOUR_WINDOW)} "
        f"color:{window('sk_color', recording.colour_start, COLOUR_WINDOW)} "
        f"duo_left:{window('duo_left', recording.duo_start, DUO_WINDOW)} label:{label} "
    )


def write_tables(root: Path, takes: list[Take], seed: int, frames: int | None = None) -> dict:
    """Write the four lists; returns the counts and the note for dataset.json."""
    frames = frames or _frames_of(root, takes)
    counts = {}
    for split in SUBJECTS:
        mine = [t for t in takes if t.split == split]
        v1 = "\n".join(list_line(t, seed, frames, t.folder) for t in mine)
        v2 = "".join(list_line(t, seed, frames, t.gesture) + "\n" for t in mine)
        write_text(root / f"nvgesture_{split}_correct_cvpr2016.lst", v1)
        write_text(root / f"nvgesture_{split}_correct_cvpr2016_v2.lst", v2)
        counts[split] = len(mine)
    return {
        "name": "NvGesture",
        "note": NOTE,
        "classes": CLASSES,
        "subjects": len({t.subject for t in takes}),
        "clips": len(takes),
        "videos": len(takes) * len(FPS),
        "frames": frames,
        **counts,
    }


def _frames_of(root: Path, takes: list[Take]) -> int:
    """Colour frames of a recording, from the log of the first one."""
    return len((root / "Video_data" / takes[0].clip_id / "sk_color_log.txt").read_text().splitlines())
