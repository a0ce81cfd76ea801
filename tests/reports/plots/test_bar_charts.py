"""Plots have room for what they show, whatever it is called and however much there is of it."""

import re
import warnings

import pytest

from reports.plots import bar_charts as plots

LONG = "waves the left hand, then the right one, and holds them still "


def drawn_bars(svg):
    """(width, height) of the bars of a plot."""
    found = []
    for shape in re.findall(r'<path d="(M [^"]*z)[^"]*"[^>]*style="fill: var\(--(?:cold|hot|muted)', svg):
        numbers = [float(x) for x in re.findall(r"-?\d+\.?\d*", shape)]
        found.append((max(numbers[::2]) - min(numbers[::2]), max(numbers[1::2]) - min(numbers[1::2])))
    return found


@pytest.mark.parametrize(("n", "name"), [(28, LONG), (28, "gesture "), (60, "s"), (5, LONG), (10, LONG * 3)])
def test_bars_have_room_beside_their_labels(n, name):
    values = [(f"{name}{i}", 3 + i % 2) for i in range(n)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        upright = plots.counts(values, "c", "Clips per class").svg
        lying = plots.bars([("mean", values), ("deviation", values)], ["dark"] * n, "b", "Light").svg
    assert len(drawn_bars(upright)) == n and max(h for _, h in drawn_bars(upright)) > 50
    assert len(drawn_bars(lying)) == 2 * n and max(w for w, _ in drawn_bars(lying)) > 50
    assert f"{name}{n - 1}: 3" in upright or f"{name}{n - 1}: 4" in upright, "the description has names in full"
