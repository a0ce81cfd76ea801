"""Old record schemas, brought up to the present one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.ledger.record import SCHEMA_VERSION

Document = dict[str, Any]

STEPS: dict[int, Callable[[Document], Document]] = {  # version -> function that lifts a record from it to the next
    1: lambda data: {**data, "seal": ""},  # 2 added seals and the hash of what a rendering wrote
}


class LeftAlone(ValueError):
    """What lies there may be sound, and cannot be told: it is neither used nor replaced."""


class NewerSchema(LeftAlone):
    """Written by a newer harness."""


def newer(path: Path, version: int, known: int) -> NewerSchema:
    return NewerSchema(
        f"{path}: written by a newer harness (schema {version}, this one reads {known}); update the harness"
    )


def migrate(data: Document, path: Path) -> Document:
    """Lift a record to ``SCHEMA_VERSION``. Raises NewerSchema, or ValueError for an unknown schema."""
    version = data.get("schema_version")
    if not isinstance(version, int):
        raise ValueError(f"{path}: not a run record (no schema_version)")
    if version > SCHEMA_VERSION:
        raise newer(path, version, SCHEMA_VERSION)
    while version < SCHEMA_VERSION:
        if version not in STEPS:
            raise ValueError(f"{path}: schema {version} is too old to be read")
        data = STEPS[version](data)
        version += 1
        data["schema_version"] = version
    return data
