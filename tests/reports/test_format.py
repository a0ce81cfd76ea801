"""Percentages are rounded as on paper, whatever a float makes of them."""

from decimal import Decimal

import pytest

from reports.format import percent, points


@pytest.mark.parametrize(
    ("fraction", "digits", "said"),
    [
        (0.0125, 1, "1.3"),
        (0.2925, 1, "29.3"),
        (0.6475, 1, "64.8"),
        (0.6465, 1, "64.7"),
        (0.57, 2, "57.00"),
        (1.0, 1, "100.0"),
        (0.00125, 2, "0.13"),
    ],
)
def test_a_half_is_rounded_away_from_zero(fraction, digits, said):
    assert percent(fraction, digits) == said
    assert points(fraction, digits) == f"+{said}" and points(-fraction, digits) == f"\u2212{said}"


def test_every_share_of_80_clips_is_the_nearest_and_never_that_below():
    for right in range(81):
        exact = Decimal(100 * right) / 80
        assert Decimal("0") <= Decimal(percent(right / 80)) - exact + Decimal("0.05") < Decimal("0.1000001")
        assert abs(Decimal(percent(right / 80)) - exact) < Decimal("0.05") or Decimal(percent(right / 80)) > exact
