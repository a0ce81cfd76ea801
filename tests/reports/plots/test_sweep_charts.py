"""Figure 6 is drawn whole, whatever points it lacks."""

import re
import warnings

import pytest

from reports.plots.curves import Curve, Point
from reports.plots.sweep_charts import sweeps

MEASURED = {0: (), 1: (0.5,), 2: (0.5, 1.0)}


def test_a_band_ends_where_accuracies_do():
    """One degree of freedom gives an interval of hundreds of points."""
    points = tuple(Point(x, 0.1, None, 1, band=0.95) for x in (0.0, 1.0))
    drawn = sweeps([Curve("alpha", "alpha", 0.5, points, ())], None, "f").svg
    ticks = [float(t.replace("−", "-")) for t in re.findall(r">([−\d.]+)<", drawn)]
    assert 100 in ticks and not [t for t in ticks if not 0 <= t <= 100]


@pytest.mark.parametrize("number", MEASURED)
def test_points_without_a_result_lie_inside_of_the_axes(number):
    """An annotation outside of them would leave the axes no room, and the layout would not be applied."""
    there = MEASURED[number]
    points = tuple(Point(x, 0.1, None, 1) for x in there)
    absent = tuple((x, "not run") for x in (0.0, 0.5, 1.0) if x not in there)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = sweeps([Curve(name, name, 0.5, points, absent) for name in ("alpha", "beta")], 0.04, "f").svg
    width = float(re.search(r'viewBox="0 0 ([\d.]+) ', drawn)[1])
    crosses = [float(x) for x in re.findall(r'x="([\d.-]+)"[^>]*>×<', drawn)]
    assert len(crosses) == 2 * len(absent) and all(0 < x < width for x in crosses)


@pytest.mark.parametrize("values", [(0.5,), (0.5, 0.9)])
def test_a_band_is_drawn_round_one_point_too(values):
    def shades(band):
        points = tuple(Point(x, 0.5, None, 1, band=band) for x in values)
        return sweeps([Curve("alpha", "alpha", 0.5, points, ())], None, "f").svg.count("opacity: 0.13")

    assert shades(None) == 0 and shades(0.04) == 1
