"""How many digits the percentages of a result have, wherever they stand."""

from __future__ import annotations

from reports.format import percent_digits
from reports.ledger.results import Result


def digits_of(result: Result) -> int:
    """As many as its test clips can carry; the fewest where they are not known."""
    return percent_digits(len(result.outcomes.clips) if result.outcomes else 0)
