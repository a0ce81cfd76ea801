"""Accuracies of some methods at several points of their data, and beside them what one has over another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.plots.drawing import COLD, HOT, INK, MUTED, PAPER, Drawing, kept_drawing, new_figure, to_drawing

GAIN, REFERENCE, OTHER = "gain", "reference", "other"
LOOKS = {GAIN: (HOT, "o", "-"), REFERENCE: (COLD, "s", "-")}
OTHERS = (("^", "--"), ("D", ":"), ("v", "-."), ("P", (0, (1, 3))))  # marker and line of the others, in their order
APART = 0.07  # of the lines at a point, in points of the axis: values that are equal do not hide one another


@dataclass(frozen=True)
class At:
    """A measured value at a point, in percent or points, with how far it reaches down and up; None: not known."""

    place: int  # of the point on the axis
    value: float
    low: float | None
    high: float | None
    mark: str = ""


@dataclass(frozen=True)
class Line:
    """One method. ``role``: GAIN or REFERENCE, those that are compared, or OTHER."""

    title: str
    role: str
    points: tuple[At, ...]


@kept_drawing
def points(places: Sequence[str], axis: str, lines: Sequence[Line], gain: Line, name: str) -> Drawing:
    """Left each method's accuracy; right the gain with its interval, and the line of no gain."""
    figure, (left, right) = new_figure(8.6, 3.6, 2)
    others = [line for line in lines if line.role == OTHER]
    for n, line in enumerate(lines):
        look = (MUTED, *OTHERS[others.index(line) % len(OTHERS)]) if line in others else LOOKS[line.role]
        _draw(left, line, look, aside=APART * (n - (len(lines) - 1) / 2))
    left.set_ylabel("Top-1 accuracy (%)")
    left.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)  # above: hides no mark
    right.axhline(0, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    _draw(right, gain, LOOKS[GAIN])
    right.set_ylabel("Gain (points)")
    right.set_title(gain.title, fontsize=9)
    measured = {p.place for line in lines for p in line.points}
    for ax, there in ((left, measured), (right, {p.place for p in gain.points})):
        ax.set_xticks(range(len(places)), places)
        ax.set_xlim(-0.5, len(places) - 0.5)
        ax.set_xlabel(axis)
        for place in set(range(len(places))) - there:
            ax.annotate("×", (place, 0.02), xycoords=("data", "axes fraction"), ha="center", color=MUTED)
    said = "; ".join(f"{line.title}: {_said(places, line)}" for line in (*lines, gain))
    return to_drawing(figure, f"Top-1 accuracy in percent, and the gain in points, by {axis}", said, name)


def _draw(ax: Any, line: Line, look: tuple[str, str, Any], aside: float = 0.0) -> None:
    """A line, its marks, and how far its values reach: bars, and for the gain a band."""
    colour, marker, style = look
    x, y = [p.place + aside for p in line.points], [p.value for p in line.points]
    face = colour if marker == "o" else PAPER
    ax.plot(x, y, color=colour, linewidth=1.6, linestyle=style, marker=marker, markerfacecolor=face, label=line.title)
    known = [p for p in line.points if p.low is not None and p.high is not None]
    if known:
        at, values = [p.place + aside for p in known], [p.value for p in known]
        low, high = [p.low or 0.0 for p in known], [p.high or 0.0 for p in known]
        reach = [[v - a for v, a in zip(values, low, strict=True)], [b - v for v, b in zip(values, high, strict=True)]]
        ax.errorbar(at, values, yerr=reach, fmt="none", ecolor=colour, elinewidth=1.2, capsize=3)
        if len(known) == len(line.points) > 1 and line.role == GAIN:
            ax.fill_between(at, low, high, color=colour, alpha=0.13, linewidth=0, zorder=1)
    for p in line.points:
        if p.mark:
            spot = (p.place + aside, p.value)
            ax.annotate(p.mark, spot, xytext=(6, 4), textcoords="offset points", color=INK, fontsize=9)


def _said(places: Sequence[str], line: Line) -> str:
    shown = [f"{places[p.place]} {p.value:.1f}{_interval(p)}{p.mark}" for p in line.points]
    return ", ".join(shown).replace("\n", " ") or "not measured"


def _interval(p: At) -> str:
    return "" if p.low is None or p.high is None else f" ({p.low:.1f} to {p.high:.1f})"
