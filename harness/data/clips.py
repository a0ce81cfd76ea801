"""The clips that a dataset config reads, known from the annotation files without torch."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from harness.data.builder import check_made_to_end, maker_beside
from harness.data.names import at_light, is_synthetic_root
from harness.data.parts import check_made
from harness.data.registry import ClipDataSet, clips_of_config
from harness.data.unusable import more_of
from harness.errors import count
from harness.ledger.identity import canonical_json
from harness.system.slow import said_if_slow
from mtcd_plugin.formats.clips import MODALITIES, RENDERED_FROM, Clip, ClipTable, fingerprint
from mtcd_plugin.formats.splits import read_quarantine, select_clips

log = logging.getLogger(__name__)

RECORDED = tuple(m for m in MODALITIES if m not in RENDERED_FROM)  # by a camera


Place = tuple[str, str]  # the working directory and a root that may be relative to it


class Selection(NamedTuple):
    """The table that a dataset config reads, the clips that it selects, and their fingerprint."""

    table: ClipTable
    clips: tuple[Clip, ...]
    fingerprint: str

    def quarantined(self, path: str) -> frozenset[str]:
        """The ids in a quarantine file that are clips of the table."""
        return read_quarantine(path) & {c.clip_id for c in self.table.clips}


class Asked(NamedTuple):
    """Which clips of a table: the arguments of ``select_clips``."""

    split: str
    modalities: tuple[str, ...]
    quarantine: str
    missing_modality: tuple[tuple[str, str], ...]
    one_in: int


def select(dataset: Mapping[str, Any]) -> Selection:
    """What the config of a data set of clips selects; remembered, so that each is read once.

    Raises:
        FileNotFoundError, ValueError: data that is missing or malformed, one line.
    """
    found = clips_of_config(dataset)
    if found is None:
        raise ValueError(f"type={dataset.get('type')!r} reads no data set of clips that the harness knows")
    asked = Asked(
        dataset.get("split", "train"),
        tuple(dataset.get("modalities") or ("rgb",)),
        str(dataset.get("quarantine") or ""),
        tuple(sorted((dataset.get("missing_modality") or {}).items())),
        dataset.get("one_in", 1),
    )
    arguments = canonical_json({k: dataset[k] for k in found.keys if dataset.get(k) is not None})
    return _select(found, (os.getcwd(), str(dataset["data_root"])), arguments, asked)


def dataset_clips(dataset: Mapping[str, Any]) -> tuple[ClipTable, tuple[Clip, ...]]:
    """The table of a clip data set's config and the clips that it selects."""
    found = select(dataset)
    return found.table, found.clips


def check_folder(root: str) -> None:
    """FileNotFoundError, with what to do, where the folder of a data set is not there, or not made to its end."""
    if os.path.isdir(root):
        check_made_to_end(root)
        return
    place = Path(root)
    if who := maker_beside(root):
        raise FileNotFoundError(
            f"{root}: no such data set yet; {who} is making data in {place.parent}, run the same command again when "
            "that is done"
        )
    if is_synthetic_root(place.parent):
        options = f"--preset {place.parent.name.removeprefix('synthetic-')}{_by_name(place.name)}"
        advice = (
            "run-all without --data-root makes the built-in synthetic data that it reads, `python -m harness data "
            f"synthesize {options}` all of them; --data-root names the folder of the real data"
        )
    else:
        advice = f"--data-root names the folder that holds {place.name}/"
    raise FileNotFoundError(f"{root}: no such data set; {advice}")


def _by_name(name: str) -> str:
    """The option that asks for a synthetic set that is not among those that are made where none is named."""
    return f" --datasets {name}" if at_light(name)[1] != 1 else ""


@cache
def _table(found: ClipDataSet, place: Place, arguments: str) -> ClipTable:
    _, root = place
    check_folder(root)
    return found.read(root, **json.loads(arguments))


@cache
def _select(found: ClipDataSet, place: Place, arguments: str, asked: Asked) -> Selection:
    table = _table(found, place, arguments)
    _check_recorded(table, asked, f"{place[1]}{_in_words(arguments)}")
    missing = dict(asked.missing_modality)
    clips = select_clips(
        table, asked.split, asked.modalities, asked.quarantine, missing, check_files=False, one_in=asked.one_in
    )
    check_made(place[1], found, clips, asked.modalities)
    try:
        with said_if_slow(log.info, f"planning: reading {count(len(clips), 'clip')} of {table.name}"):
            found_print = fingerprint(clips, asked.modalities, missing)
    except FileNotFoundError as error:
        if isinstance(error.__context__, PermissionError):  # the file is there: nothing is to be made anew
            raise FileNotFoundError(f"{error}; or change its permissions, so that this user may read it") from None
        files = (stream.path for clip in clips for stream in clip.streams.values())
        more = next(filter(None, (more_of(path) for path in files if path in str(error))), "")
        if not table.synthetic:
            raise FileNotFoundError(f"{error}{more}") from None
        raise FileNotFoundError(
            f"{error}{more}; or delete {place[1]}: run-all without --data-root makes synthetic data anew"
        ) from None
    return Selection(table, tuple(clips), found_print)


def _check_recorded(table: ClipTable, asked: Asked, where: str) -> None:
    """ValueError where there is no clip at all, or none of a split has a modality: no quarantine file helps there, and
    a network that takes clips without it would never see one with it.
    """
    splits = {"fit": ("train",), "holdout": ("train",), "all": ("train", "test")}.get(asked.split, (asked.split,))
    clips = [clip for clip in table.clips if clip.split in splits]
    if not table.clips:
        raise ValueError(f"{where}: has no clips; cells that read them cannot be planned")
    for name in asked.modalities:
        recorded = RENDERED_FROM.get(name, name)
        if clips and name in MODALITIES and not any(recorded in clip.streams for clip in clips):
            which = " and the ".join(splits)
            raise ValueError(
                f"{where}: no clip of the {which} split has {recorded}; cells that read it cannot be planned"
            )


def _in_words(arguments: str) -> str:
    """Arguments of a reader, as they stand behind the folder that it reads."""
    named = ", ".join(f"{key} {value}" for key, value in json.loads(arguments).items() if isinstance(value, str))
    return f" ({named})" if named else ""


def forget() -> None:
    """Read every table anew when it is asked for next."""
    _table.cache_clear()
    _select.cache_clear()
