"""Fractions as percentages, in words of a line: one rule for their digits and for halves."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

from harness.ledger.record import RunRecord

FINE = 9  # digits that a percentage has beyond doubt: what follows is the error of a float


def percent_digits(clips: int) -> int:
    """Digits that a percentage of this many clips can carry: two where one clip is less than half a point."""
    return 2 if clips >= 200 else 1


def percent_text(fraction: float, digits: int) -> str:
    """100 times a fraction with so many digits, halves rounded away from zero, as on paper and by browsers."""
    value = round(100 * float(fraction), FINE)
    if not math.isfinite(value):
        return str(value)
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def top1_text(record: RunRecord) -> str:
    """The accuracy of a run that is done and predicts classes, as its page has it: ``64.75 %``."""
    if record.metrics is None:
        raise ValueError(f"{record.key[:12]}: no accuracy")
    return f"{percent_text(record.metrics.top1, percent_digits(record.data.test_clips if record.data else 0))} %"
