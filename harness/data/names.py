"""The names of the data sets: the built-in ones and those that packages declare; where synthetic ones lie."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

GROUP = "harness.datasets"
BUILT_IN = {  # name -> module:object, as entry points have it; a checkout need not be installed
    "mgr_dark": "harness.data.sets.mgr_dark:MGR_DARK",
    "nvgesture": "harness.data.sets.nvgesture:NVGESTURE",
    "sysu_mm01": "harness.data.sets.sysu_mm01:SYSU_MM01",
    "source_motions": "harness.data.sets.source_motions:SOURCE_MOTIONS",
}


def synthetic_root(preset: str) -> Path:
    """Where the built-in synthetic data of a preset lie unless another folder is asked for."""
    return Path("data") / f"synthetic-{preset}"


def is_synthetic_root(folder: Path) -> bool:
    """Whether a folder has the name that ``synthetic_root`` gives."""
    return folder.parent.name == "data" and folder.name.startswith("synthetic-")


def at_light(name: str) -> tuple[str, float]:
    """``mgr_dark_light-0.25`` as the name of the data set whose dark clips it has, and its factor on their light."""
    base, factor = _light_of(name)
    return (base, float(factor)) if factor and f"{base}_light-{factor}" == name else (name, 1.0)


def one_spelling(name: str) -> str:
    """The only name that a data set of other light has: a factor of 0.250 is written 0.25, and light times 1 is the
    data set itself. Any other name is as it is.
    """
    base, factor = _light_of(name)
    return base if factor == "1" else f"{base}_light-{factor}" if factor else name


def misspelt(name: str) -> str:
    """The line about a name that another spelling stands for."""
    return f"synthetic data set '{name}': write {one_spelling(name)}, which has the same content; it has one name"


def _light_of(name: str) -> tuple[str, str]:
    """Data set and factor, as it is to be written; "" for a name without a factor."""
    found = re.fullmatch(r"(.+)_light-([0-9.]+)", name)
    try:
        factor = Decimal(found[2]) if found else Decimal(0)
    except InvalidOperation:
        factor = Decimal(0)
    return (found[1], f"{factor.normalize():f}") if found and factor else (name, "")


@cache
def declared() -> dict[str, str]:
    """Name of each data set -> where its object is. ValueError for a name that two packages declare."""
    found = dict(BUILT_IN)
    for point in entry_points(group=GROUP):
        if found.setdefault(point.name, point.value) != point.value:
            raise ValueError(
                f"data set {point.name} is declared twice in entry-point group {GROUP}: {found[point.name]} and "
                f"{point.value}; rename one of them, or uninstall its package"
            )
    return found


def names() -> tuple[str, ...]:
    """The names of all data sets, the built-in ones first."""
    return tuple(declared())
