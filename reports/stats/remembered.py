"""What is kept between reports (``reports.cache_folder``): the same clips and trainings are tested once, the same
predictions are read once."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
from pydantic_core import from_json

from reports.cache_folder import cache_folder, keep, read_kept

CODE = Path(__file__).parents[2]
COMPUTE = ("reports/stats/*.py", "reports/ledger/results.py", "harness/ledger/judge.py", "mtcd_plugin/accuracy.py")
MOST = 50_000  # results, or as many as one report needs; those that were not asked for the longest go

P = ParamSpec("P")
R = TypeVar("R")
_known: dict[str, list[Any]] | None = None  # digest of what was asked -> what was found; None outside of a report
_asked: set[str] = set()  # digests that this report has asked for


def remembered(restore: Callable[[list[Any]], R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function of arrays, sequences and frozen dataclasses that looks up what it returned for the same, while
    ``remembering``.

    Args:
        restore: makes the result of its numbers.
    """

    def decorate(f: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(f)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            if _known is None:
                return f(*args, **kwargs)
            asked = _digest(f.__qualname__, args, kwargs)
            _asked.add(asked)
            found = _known.pop(asked, None)
            result = restore(found) if found is not None else f(*args, **kwargs)
            _known[asked] = found if found is not None else _numbers(result)  # the last is the one asked for last
            return result

        return wrapper

    return decorate


@contextmanager
def remembering() -> Iterator[None]:
    """A context in which ``remembered`` functions look up their results, those of earlier reports as well."""
    global _known
    if _known is not None:
        yield
        return
    folder = cache_folder()
    path = folder / f"numbers-{_code()}.json" if folder else None
    before = _read(path)
    _known = dict(before)
    _asked.clear()
    try:
        yield
    finally:
        known, _known = _known, None
        if path is not None and known.keys() != before.keys():
            kept = list(known.items())[-max(MOST, len(_asked)) :]
            with suppress(OSError):  # read-only or full: the next report computes them itself
                keep(path, json.dumps(dict(kept)))
                for other in path.parent.glob("numbers-*.json"):  # of other code
                    if other != path:
                        other.unlink(missing_ok=True)


def _read(path: Path | None) -> dict[str, list[Any]]:
    try:
        found = from_json(read_kept(path)) if path else {}
    except (OSError, ValueError):  # none, or damaged: computed anew
        return {}
    return {k: v for k, v in found.items() if isinstance(v, list)} if isinstance(found, dict) else {}


def _numbers(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def one(numbers: Sequence[float]) -> float:
    """Restores a function's single number."""
    return numbers[0]


def one_or_none(numbers: Sequence[float | None]) -> float | None:
    """Restores a function's single number, or that there is none."""
    return numbers[0]


def pair(numbers: Sequence[float]) -> tuple[float, float]:
    """Restores a function's two numbers."""
    return numbers[0], numbers[1]


def _digest(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    digest = hashlib.blake2b(name.encode(), digest_size=16)
    for value in (*args, *(x for item in sorted(kwargs.items()) for x in item)):
        array = isinstance(value, np.ndarray)
        if isinstance(value, (tuple, list)) and any(isinstance(v, np.ndarray) for v in value):
            raise TypeError(f"{name}: an array inside a sequence has a shortened repr; give it by itself")
        digest.update(f" {value.dtype} {value.shape} ".encode() if array else f" {value!r}".encode())
        if array:
            digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


@functools.cache
def _code() -> str:
    """Changes with the code that computes and the libraries that it goes by."""
    said = " ".join(version(name) for name in ("numpy", "scipy"))
    digest = hashlib.sha256(said.encode())
    for path in sorted(path for place in COMPUTE for path in CODE.glob(place)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
