"""Numbers of ``benchmark.yml`` and metafiles. What is none, or out of range, is an error that says what is valid: YAML
reads ``true``, ``.nan`` and ``.inf`` as well, and they would be counted with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator


def _check(valid: str, low: float = -math.inf, high: float = math.inf, whole: bool = False) -> Callable[[Any], Any]:
    """A check that a value is a finite number of a range; a text that reads as one is (YAML has ``1e-3`` as a text)."""

    def check(value: Any) -> Any:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number) or not low <= number <= high or (whole and not number.is_integer()):
            raise ValueError(f"{value!r} is not valid; give {valid}")
        return value

    return check


Finite = Annotated[float, BeforeValidator(_check("a finite number"))]
Percent = Annotated[float, BeforeValidator(_check("a top-1 accuracy in percent, from 0 to 100", 0, 100))]
Count = Annotated[int, BeforeValidator(_check("a whole number from 1", 1, whole=True))]
