"""Accuracy against what it costs, with the Pareto front of each cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.plots.drawing import HOT, INK, LINE, MUTED, PAPER, Drawing, kept_drawing, new_figure, to_drawing


@dataclass(frozen=True)
class Mark:
    """A method: cost in the unit of its axis, accuracy as a fraction, the number that it has in the table."""

    cost: float
    accuracy: float
    number: int
    front: bool


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
        ax.set_title(panel.title)
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
    for m in marks:
        ax.annotate(
            str(m.number),
            (m.cost, 100 * m.accuracy),
            xytext=(5, 3),
            textcoords="offset points",
            fontsize=7.5,
            color=INK if m.front else MUTED,
            fontweight="bold" if m.front else "normal",
        ).set_in_layout(False)  # their sizes take longer to find than all the rest


def _listed(marks: Sequence[Mark], names: Sequence[str]) -> str:
    found = sorted((m for m in marks if m.front), key=lambda m: m.cost)
    return ", ".join(f"{names[m.number - 1]} {100 * m.accuracy:.1f} at {m.cost:.3g}" for m in found) or "none"
