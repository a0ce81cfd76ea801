"""A data set in a package of its own, as a user would add one: found by its entry point, gone with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from harness.data import clips, names, registry
from mtcd_plugin.formats.video import write_video
from tests.helpers.tiny_data import flat_frames

MODULE = """
from pathlib import Path

from harness.data.registry import ClipDataSet


def read(root, hand="both"):
    from mtcd_plugin.formats.clips import Clip, ClipTable, Stream

    found = []
    for line in Path(root, "waves.txt").read_text().splitlines():
        clip_id, subject, label, split, shown = line.split()
        if hand in (shown, "both"):
            stream = Stream(f"{root}/{clip_id}.mp4", 0, 12, 25.0)
            found.append(Clip(clip_id, subject, int(label), split, {"rgb": stream}))
    return ClipTable(tuple(found), ("up", "down"), False, "Waves")


WAVES = ClipDataSet(
    name="waves", title="Waves", marker="waves.txt", dataset_class="WavesDataset", read=read, keys=("hand",)
)
"""
LINES = ("a ann 0 train left", "b ann 1 train right", "c ben 0 train left", "d cat 1 test right")


def write_waves(root: Path) -> Path:
    """Four clips of three people."""
    root.mkdir(parents=True)
    (root / "waves.txt").write_text("\n".join(LINES) + "\n")
    for number, line in enumerate(LINES):
        write_video(str(root / f"{line[0]}.mp4"), flat_frames(np.arange(12) / 25 + number, 3), 25, crf=0)
    return root


@contextmanager
def installed(folder: Path, points: str = "waves = waves_of_mine:WAVES", module: str = MODULE) -> Iterator[None]:
    """A package with such entry points, as pip would install it, until the block ends."""
    folder.mkdir(parents=True)
    (folder / "waves_of_mine.py").write_text(module)
    about = folder / "waves_of_mine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: waves-of-mine\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{names.GROUP}]\n{points}\n")
    sys.path.insert(0, str(folder))
    _forget()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("waves_of_mine", None)
        _forget()


def _forget() -> None:
    registry.forget()
    clips.forget()
