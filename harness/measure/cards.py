"""Cards with the peaks that are published for them, and the data sets of the paper in published numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness.errors import BadUsage, unknown_name

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Card:
    """A GPU. ``bf16``, ``fp32``: dense peaks in 10^12 operations per second, a multiply-add being two; ``name``: a part
    of what its driver calls it; ``source``: who says so.
    """

    id: str
    title: str
    name: str
    bf16: float
    fp32: float
    memory_gb: float
    source: str

    def peak(self, precision: str) -> float:
        """Operations per second at a precision of ``--precision``; ``auto`` is bf16."""
        return 1e12 * (self.fp32 if precision == "fp32" else self.bf16)


@dataclass(frozen=True)
class Published:
    """Clips of a data set, one lighting: of each split, and frames of a clip at least and on average."""

    train: int
    test: int
    frames: tuple[int, int]
    source: str


@cache
def cards() -> dict[str, Card]:
    """Every card of ``cards.yml``, by the name that ``--device`` takes."""
    return {key: Card(id=key, **values) for key, values in _read("cards.yml").items()}


def card(key: str) -> Card:
    """Raises BadUsage with the cards that are known."""
    if key not in cards():
        raise BadUsage(f"--device: {unknown_name('card', key, cards())}")
    return cards()[key]


def card_of(gpu: str) -> Card | None:
    """The card that a driver's name means, None for one that is not in the table; the longest name that fits."""
    fitting = [c for c in cards().values() if c.name.lower() in gpu.lower()]
    return max(fitting, key=lambda c: len(c.name), default=None)


@cache
def published() -> dict[str, Published]:
    """By data set."""
    return {
        key: Published(v["train"], v["test"], (v["frames"][0], v["frames"][1]), v["source"])
        for key, v in _read("published.yml").items()
    }


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return found
