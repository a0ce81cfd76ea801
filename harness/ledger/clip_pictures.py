"""Small pictures of test clips for the pages of runs, kept in the work dir, once for all runs that share them.

They lie in ``clip_pictures/<data set>-<fingerprint>/``. The fingerprint is that of the test split, which a run's record
names as well: a run is never shown with other clips than it was tested on. ``index.json`` says which file shows what.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from harness.ledger.files import atomic_replace, read_file, write_text_atomically
from harness.ledger.run_dir import CLIP_PICTURES

log = logging.getLogger(__name__)

INDEX = "index.json"
LARGEST_INDEX = 64 << 20  # bytes
LARGEST_PICTURE = 64 << 10
JPEG = b"\xff\xd8\xff"  # how its files begin
Pixels = Annotated[int, Field(gt=0, le=4096)]
Wanted = Mapping[tuple[str, str], Collection[tuple[str, str]]]  # (data set, fingerprint) -> (clip id, stream)


class Picture(BaseModel):
    """``file``: its name is the sha256 of its content. ``brightened``: it shows dark frames with a gain."""

    file: str = Field(pattern=r"^[0-9a-f]{64}\.jpg$")
    width: Pixels
    height: Pixels
    brightened: bool = False


class Drawn(BaseModel):
    """The pictures of a stream of a clip; ``problem`` says in a line why there are none."""

    pictures: list[Picture] = []
    problem: str = ""


Index = dict[str, dict[str, Drawn]]  # clip id -> stream -> its pictures


def picture_folder(work_dir: Path, dataset: str, fingerprint: str) -> Path:
    """Where the pictures of a test split lie. ``dataset``: its id. ``fingerprint``: sha256 hex."""
    return Path(work_dir) / CLIP_PICTURES / f"{dataset}-{fingerprint[:16]}"


def read_index(folder: Path) -> Index:
    """What the pictures of a folder show; {} where there are none, and where the index is damaged, with a warning."""
    path = folder / INDEX
    try:
        return TypeAdapter(Index).validate_json(read_file(path, LARGEST_INDEX))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError):
        log.warning("%s: cannot be read; run pages are without these pictures until run-all draws them anew", path)
        return {}


def write_index(folder: Path, index: Index) -> None:
    """Raises OSError where it cannot be written."""
    content = {c: {s: d.model_dump() for s, d in sorted(streams.items())} for c, streams in sorted(index.items())}
    write_text_atomically(folder / INDEX, json.dumps(content, indent=1) + "\n")


def read_picture(folder: Path, picture: Picture) -> bytes | None:
    """The content of a picture; None where it is not there, or not as it was written."""
    with suppress(OSError, ValueError):
        content = read_file(folder / picture.file, LARGEST_PICTURE)
        if _name(content) == picture.file and content[:3] == JPEG:
            return content
    return None


def save_picture(folder: Path, content: bytes, width: int, height: int, brightened: bool = False) -> Picture:
    """Write a picture, JPEG. Raises OSError where it cannot be written."""
    picture = Picture(file=_name(content), width=width, height=height, brightened=brightened)
    with atomic_replace(folder / picture.file, sync=False) as beside:
        beside.write_bytes(content)
    return picture


def _name(content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.jpg"
