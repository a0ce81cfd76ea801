"""Accuracy against what it costs, with the Pareto front of each cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.format import percent
from reports.plots.drawing import HOT, INK, LINE, MUTED, PAPER, Drawing, kept_drawing, new_figure, to_drawing

ROOM = (125.0, 190.0)  # points that a panel of a file has across and up; on a page it has more
DIGIT = 4.8  # points that one takes
Box = tuple[float, float, float, float]  # left, bottom, right, top


@dataclass(frozen=True)
class Mark:
    """A method: cost in the unit of its axis, accuracy as a fraction, the number that it has in the table."""

    cost: float
    accuracy: float
    number: int
    front: bool
    digits: int = 1  # of the accuracy in percent


@dataclass(frozen=True)
class Panel:
    """One cost. ``absent``: how many methods it is not recorded for."""

    title: str
    unit: str
    marks: tuple[Mark, ...]
    absent: int


@kept_drawing
def against_cost(panels: Sequence[Panel], names: Sequence[str], name: str, title: str) -> Drawing:
    """Top-1 against each cost, on logarithmic axes side by side: filled marks and the stepped line are the front.

    Args:
        names: of the methods, by their number from 1 on.
    """
    figure, axes = new_figure(10.5, 4.0, len(panels), sharey=True)
    for ax, panel in zip(axes, panels, strict=True):
        ax.set_title(panel.title, fontsize=9)
        ax.set_xlabel(panel.unit + (f" ({panel.absent} not recorded)" if panel.absent else ""))
        _draw(ax, panel.marks)
    axes[0].set_ylabel("Top-1 accuracy (%)")
    said = "; ".join(f"{p.title}, on the front: {_listed(p.marks, names)}" for p in panels)
    return to_drawing(figure, title, said, name)


def _draw(ax: Any, marks: Sequence[Mark]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    costs = [m.cost for m in marks]
    if costs:
        ax.set_xscale("log")
        few = max(costs) / min(costs) > 50
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if few else (1.0, 2.0, 5.0)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        ax.set_xlim(min(costs) / 1.5, max(costs) * 1.7)
    ax.grid(axis="x", color=LINE, linewidth=0.6)
    ax.margins(y=0.12)
    front = sorted((m for m in marks if m.front), key=lambda m: m.cost)
    ax.plot(
        [m.cost for m in front], [100 * m.accuracy for m in front], color=HOT, linewidth=1.2, drawstyle="steps-post"
    )
    for on in (False, True):
        own = [m for m in marks if m.front == on]
        ax.scatter(
            [m.cost for m in own],
            [100 * m.accuracy for m in own],
            s=34 if on else 22,
            marker="D" if on else "o",
            color=HOT if on else PAPER,
            edgecolor=HOT if on else MUTED,
            zorder=3,
        )
    for m, offset in zip(marks, offsets(marks), strict=True):
        ax.annotate(
            str(m.number),
            (m.cost, 100 * m.accuracy),
            xytext=offset,
            textcoords="offset points",
            fontsize=7.5,
            color=INK if m.front else MUTED,
            fontweight="bold" if m.front else "normal",
        ).set_in_layout(False)  # their sizes take longer to find than all the rest


def offsets(marks: Sequence[Mark]) -> list[tuple[float, float]]:
    """Where the number of each mark stands, from the mark: the first place that no other number or mark has, beside
    it or further up and down. In points, for a panel of about ``ROOM``."""
    if not marks:
        return []
    costs, reached = [math.log(m.cost) for m in marks], [m.accuracy for m in marks]
    across, up = max(costs) - min(costs) + math.log(1.5 * 1.7), (max(reached) - min(reached)) * 1.24 or 1.0
    at = [(x / across * ROOM[0], y / up * ROOM[1]) for x, y in zip(costs, reached, strict=True)]
    taken = [_box(x - 3, y - 3, 6, 6) for x, y in at]
    found: list[tuple[float, float]] = []
    for m, (x, y) in zip(marks, at, strict=True):
        width = DIGIT * len(str(m.number))
        heights = [dy for step in range(len(marks) + 1) for dy in (3 + 8 * step, -9 - 8 * step)]
        places = [(dx, dy) for dy in heights for dx in (5, -5 - width)]
        free = (p for p in places if not any(_meet(_box(x + p[0], y + p[1], width, 6), other) for other in taken))
        dx, dy = next(free, places[0])
        taken.append(_box(x + dx, y + dy, width, 6))
        found.append((dx, dy))
    return found


def _box(x: float, y: float, width: float, height: float) -> Box:
    return x, y, x + width, y + height


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _listed(marks: Sequence[Mark], names: Sequence[str]) -> str:
    found = sorted((m for m in marks if m.front), key=lambda m: m.cost)
    return ", ".join(f"{names[m.number - 1]} {percent(m.accuracy, m.digits)} at {m.cost:.3g}" for m in found) or "none"
