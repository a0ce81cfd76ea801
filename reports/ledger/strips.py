"""The pictures that a rendering left in ``strips/`` of its run's folder, checked before any of them is copied."""

from __future__ import annotations

import struct
from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from harness.ledger.files import kind_of, open_file, read_file
from harness.ledger.run_dir import STRIPS

MOST_PIXELS = 20_000_000  # of one picture
MOST_BYTES = 20 * 2**20


class Strip(BaseModel):
    """A line of ``index.json``: the picture of a clip, and what its rows show, from the top."""

    clip_id: str
    file: str
    rows: list[str] = Field(min_length=1)


def read_strips(folder: Path) -> tuple[dict[str, tuple[Path, list[str]]], str]:
    """clip -> (file, what its rows show) of a run's folder, and what was left out and why ('' for nothing).

    Only PNGs that lie in ``strips/`` itself are taken; neither another path nor a link leads out of it.
    """
    index = folder / STRIPS / "index.json"
    try:
        strips = TypeAdapter(list[Strip]).validate_json(read_file(index, MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return {}, ""
    except (OSError, ValueError) as error:
        reason = _reason(error).removeprefix(f"{index}: ")
        return {}, f"pictures left out: strips/index.json cannot be read ({reason})"
    found, problems = {}, []
    for strip in strips:
        if problem := _problem(index.parent, strip.file):
            problems.append(f"{strip.file!r} {problem}")
        else:
            found[strip.clip_id] = (index.parent / strip.file, strip.rows)
    return found, f"pictures left out: {'; '.join(problems)}" if problems else ""


def _reason(error: OSError | ValueError) -> str:
    return (
        error.errors()[0]["msg"]
        if isinstance(error, ValidationError)
        else getattr(error, "strerror", None) or str(error)
    )


def _problem(folder: Path, name: str) -> str:
    """Why a file is not to be shown, '' where it may be."""
    path = folder / name
    if Path(name).name != name or path.resolve() != folder.parent.resolve() / folder.name / name:
        return "is not a file in strips/ itself"
    try:
        if (kind := kind_of(path)) not in ("", "file"):
            return f"is a {kind}"
        if path.stat().st_size > MOST_BYTES:
            return f"has more than {MOST_BYTES >> 20} MiB"
        width, height = png_size(path)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "is not a PNG"
    if not 0 < width * height <= MOST_PIXELS:
        return f"is {width} x {height}, more than {MOST_PIXELS // 10**6} million pixels"
    return ""


def png_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG, from its header. ValueError where it is none."""
    with open_file(path) as file:
        head = file.read(24)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:
        raise ValueError(f"{path}: not a PNG")
    return struct.unpack(">II", head[16:24])
