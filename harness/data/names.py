"""The names of the data sets: the built-in ones, and those that installed packages declare."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

GROUP = "harness.datasets"
BUILT_IN = {  # name -> module:object, as entry points have it; a checkout need not be installed
    "mgr_dark": "harness.data.sets.mgr_dark:MGR_DARK",
    "nvgesture": "harness.data.sets.nvgesture:NVGESTURE",
    "sysu_mm01": "harness.data.sets.sysu_mm01:SYSU_MM01",
}


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
