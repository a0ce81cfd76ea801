"""Bar charts: brightness, counts and histograms of the data at hand."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from reports.plots.drawing import (
    COLD,
    HOT,
    INK,
    LINE,
    MUTED,
    PAPER,
    Drawing,
    kept_drawing,
    new_figure,
    short_label,
    to_drawing,
)

LIGHTS = {"dark": HOT, "daylight": COLD}


@kept_drawing
def bars(
    panels: Sequence[tuple[str, Sequence[tuple[str, float]]]], lighting: Sequence[str], name: str, title: str
) -> Drawing:
    """Horizontal bars side by side: (panel title, [(label, value)]).

    Args:
        lighting: of each bar of a panel: "dark", "daylight" or "" where it is not declared; decides its colour.
    """
    from matplotlib.ticker import MaxNLocator

    rows = max(len(values) for _, values in panels)
    figure, axes = new_figure(8.6, 0.9 + 0.42 * rows, len(panels), sharey=True)
    for ax, (panel, values) in zip(axes, panels, strict=True):
        numbers = [v for _, v in values]
        ax.set_yticks(range(len(values)), [_in_two_lines(label) for label, _ in values])
        ax.barh(range(len(values)), numbers, height=0.55, color=[LIGHTS.get(x, MUTED) for x in lighting])
        for i, v in enumerate(numbers):
            ax.annotate(
                f"{v:.3f}",
                (v, i),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                color=INK,
            )
        ax.set_title(panel)
        ax.grid(axis="x", color=LINE, linewidth=0.6)
        ax.grid(axis="y", visible=False)
        ax.margins(x=0.2)
        ax.set_xlim(left=0)
        ax.xaxis.set_major_locator(MaxNLocator(4))
    axes[0].invert_yaxis()
    said = "; ".join(f"{p}: " + ", ".join(f"{label} {v:.3f}" for label, v in values) for p, values in panels)
    return to_drawing(figure, title, said, name)


def _in_two_lines(label: str) -> str:
    """A label beside a bar; the description has all of one that is longer."""
    return "\n".join(textwrap.wrap(label, 34, max_lines=2, placeholder=" …"))


@kept_drawing
def histogram(edges: Sequence[float], counts: Sequence[int], xlabel: str, name: str, title: str) -> Drawing:
    """A histogram of counts between edges (one more edge than counts)."""
    figure, (ax,) = new_figure(4.6, 2.6)
    widths = [b - a for a, b in zip(edges, edges[1:], strict=False)]
    ax.bar(edges[:-1], counts, width=widths, align="edge", color=COLD, edgecolor=PAPER, linewidth=1)
    ax.set_xlabel(xlabel)
    _whole_clips(ax)
    said = ", ".join(f"{a:g} to {b:g}: {n}" for a, b, n in zip(edges, edges[1:], counts, strict=False))
    return to_drawing(figure, title, said, name)


@kept_drawing
def counts(values: Sequence[tuple[str, int]], name: str, title: str) -> Drawing:
    """Vertical bars of counts with their labels; wider for many and higher for long labels, so that bars have room."""
    labels = [short_label(label) for label, _ in values]
    turned = len(values) > 6 or sum(map(len, labels)) > 50
    height = 2.6 + (0.06 * max(map(len, labels), default=0) if turned else 0)
    figure, (ax,) = new_figure(max(4.6, 0.17 * len(values)), height)
    ax.set_xticks(range(len(values)), labels)
    ax.bar(range(len(values)), [n for _, n in values], color=COLD, width=0.7)
    _whole_clips(ax)
    ax.tick_params(axis="x", labelsize=8)
    if turned:
        for label in ax.get_xticklabels():
            label.set(rotation=60, ha="right", rotation_mode="anchor")
    return to_drawing(figure, title, ", ".join(f"{label}: {n}" for label, n in values), name)


def _whole_clips(ax: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.set_ylabel("clips")
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
