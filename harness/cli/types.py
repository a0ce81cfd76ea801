"""Types of the values of options: places, counts, times, numbers; each says what is wrong with a value."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import click

from harness.errors import MOST_SEEDS


class Place(click.Path):
    """A path. An empty text, as an unset variable of the shell gives it, is none: it would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("is empty", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = Place(path_type=Path, exists=True, file_okay=False)  # one that must be there
NEW_FOLDER = Place(path_type=Path, file_okay=False)  # one that is made where it is missing
OLD_FILE = Place(path_type=Path, exists=True, dir_okay=False)
COUNT = click.IntRange(min=1)
SEEDS = click.IntRange(1, MOST_SEEDS)
PROCESSES = click.IntRange(1, 1024)
NOT_NEGATIVE = click.IntRange(min=0)


class Seconds(click.ParamType):
    """A time that passes and ends: no zero, infinity or NaN."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"{value} is not a number of seconds above 0", param, ctx)
        return seconds


SECONDS = Seconds()


class FiniteRange(click.FloatRange):
    """A range of numbers. NaN is in none, though no comparison says so; nor is infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class NewFile(click.ParamType):
    """A file to be written in the end: whether it can be is known before the work begins."""

    name = "file"
    _path = Place(path_type=Path, dir_okay=False, writable=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(self._path.convert(value, param, ctx))
        place = next(p for p in Path(os.path.abspath(path)).parents if os.path.lexists(p))
        if not (place.is_dir() and os.access(place, os.W_OK)):
            self.fail(f"{path}: cannot be written, {place} is not a folder that you may write to", param, ctx)
        return path


NEW_FILE = NewFile()
