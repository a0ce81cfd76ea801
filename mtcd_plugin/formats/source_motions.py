"""The synthetic source set: motions.csv, classes.txt, subjects.csv, and mp4 videos.

One row of ``motions.csv`` is one video, and one clip, called ``<take>_<modality>``. Colour, depth and infrared alike
are read as a colour stream, grey ones with three equal channels: filters that learn from all three serve all three.
"""

from __future__ import annotations

from pathlib import Path

from mtcd_plugin.formats.clips import Clip, ClipTable, Stream
from mtcd_plugin.formats.mgr_dark import read_classes, read_subjects
from mtcd_plugin.formats.tables import FPS, LAST_FRAME, read_rows, real_number, relative_path, whole_number
from mtcd_plugin.formats.text import check_place, is_synthetic

MARK = "motions.csv"
COLUMNS = ("take", "subject", "scene", "motion", "modality", "file", "fps", "frames")
MODALITIES = ("rgb", "depth", "ir")


def read_source_motions(root: str) -> ClipTable:
    """Read the source set; every clip has one stream, ``rgb``.

    Raises:
        FileNotFoundError, ValueError: one line with file, line number and what is wrong. Videos are not looked at.
    """
    base = Path(root)
    check_place(base, MARK)
    classes, splits = read_classes(base / "classes.txt"), read_subjects(base / "subjects.csv")
    clips: dict[str, Clip] = {}
    for where, row in read_rows(base / MARK, COLUMNS, "the source set's table"):
        for column, known in (("motion", classes), ("subject", splits), ("modality", MODALITIES)):
            if row[column] not in known:
                raise ValueError(f"{where}: {column} {row[column]!r} is unknown; choose from {', '.join(known)}")
        clip_id = f"{row['take']}_{row['modality']}"
        if clip_id in clips:
            raise ValueError(f"{where}: take {row['take']!r} has {row['modality']} twice")
        stream = Stream(
            str(base / relative_path(row["file"], "file", where)),
            0,
            whole_number(row["frames"], "frames", where, 1, LAST_FRAME),
            real_number(row["fps"], "fps", where, *FPS),
        )
        clips[clip_id] = Clip(
            clip_id,
            row["subject"],
            classes.index(row["motion"]),
            splits[row["subject"]],
            {"rgb": stream},
            scene=row["scene"],
            pair_id=row["take"],
        )
    return ClipTable(tuple(clips.values()), classes, is_synthetic(base), "Source motions")
