"""Pictures of the hardest clips of runs: which ones pages would show, and what the work dirs have of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.ledger.clip_pictures import Drawn, Index, Wanted, picture_folder, read_index, read_picture
from harness.ledger.record import RunRecord
from harness.suite.modalities import DERIVED_FROM, TITLES
from reports.ledger.context import ReportContext

FOLDER = "runs/clips"  # in the site


@dataclass(frozen=True)
class ClipPicture:
    """``place``: in the site. ``shows``: the modality, in words."""

    place: str
    shows: str
    width: int
    height: int
    brightened: bool


@dataclass(frozen=True)
class PicturedClip:
    clip_id: str
    pictures: tuple[ClipPicture, ...]
    problems: tuple[str, ...]  # why some are missing, a line each


def wanted_pictures(context: ReportContext) -> Wanted:
    """The streams of clips that pages of runs would show; of no run that is on no table."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for key in context.ledger.on_tables & context.ledger.answers.keys():
        record = context.ledger.records[key][1]
        for split in _split(context, record):
            streams = [(c, s) for c in context.ledger.answers[key].hardest for s in seen_streams(record)]
            found.setdefault(split, set()).update(streams)
    return found


def seen_streams(record: RunRecord) -> tuple[str, ...]:
    """The recorded streams that a run's network sees, or that what it sees was made of."""
    seen = record.cell.test_modality.split("+")
    return tuple(dict.fromkeys(DERIVED_FROM.get(m, m) for m in seen))


class ClipPictures:
    """What the work dirs have. ``files``: place in the site -> content, of the pictures that were asked for."""

    def __init__(self, context: ReportContext) -> None:
        self.context = context
        self.files: dict[str, bytes] = {}
        self._known: dict[tuple[str, str], list[tuple[Path, Index]]] = {}

    def of_run(self, key: str) -> tuple[PicturedClip, ...]:
        """The hardest clips of a run on a table, those of which there is anything to show."""
        record = self.context.ledger.records[key][1]
        found = [
            self._clip(split, clip_id, seen_streams(record))
            for split in _split(self.context, record)
            for clip_id in self.context.ledger.answers[key].hardest
        ]
        return tuple(c for c in found if c.pictures or c.problems)

    def _clip(self, split: tuple[str, str], clip_id: str, streams: tuple[str, ...]) -> PicturedClip:
        pictures: list[ClipPicture] = []
        problems = []
        for stream in streams:
            for folder, drawn in self._drawn(split, clip_id, stream):
                pictures += self._shown(folder, drawn, stream)
                if drawn.problem:
                    problems.append(f"{TITLES.get(stream, stream)}: {self.context.ledger.privacy.text(drawn.problem)}")
        return PicturedClip(clip_id, tuple(pictures), tuple(problems))

    def _drawn(self, split: tuple[str, str], clip_id: str, stream: str) -> Iterator[tuple[Path, Drawn]]:
        """What the first work dir has that has anything."""
        if split not in self._known:
            folders = [picture_folder(w, *split) for w in self.context.ledger.work_dirs]
            self._known[split] = [(folder, read_index(folder)) for folder in folders]
        for folder, index in self._known[split]:
            if stream in index.get(clip_id, {}):
                yield folder, index[clip_id][stream]
                return

    def _shown(self, folder: Path, drawn: Drawn, stream: str) -> Iterator[ClipPicture]:
        for picture in drawn.pictures:
            place = f"{FOLDER}/{picture.file}"
            content = self.files.get(place) or read_picture(folder, picture)
            if content is not None:
                self.files[place] = content
                shows = TITLES.get(stream, stream) + ", brightened" * picture.brightened
                yield ClipPicture(place, shows, picture.width, picture.height, picture.brightened)


def _split(context: ReportContext, record: RunRecord) -> list[tuple[str, str]]:
    """Data set and fingerprint of the test split of a run; [] where nothing may be shown of it, or none is known."""
    declared = context.benchmark.datasets.get(record.cell.dataset)
    fingerprint = record.identity.data.get("test", "")
    shown = declared is not None and declared.pictures and re.fullmatch("[0-9a-f]{64}", fingerprint)
    return [(record.cell.dataset, fingerprint)] if shown else []
