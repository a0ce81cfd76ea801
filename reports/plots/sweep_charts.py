"""Figure 6: accuracy against the weights of the loss, as curves and as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.plots.curves import Curve, HeatMap
from reports.plots.drawing import HOT, INK, MUTED, PAPER, Drawing, kept_drawing, new_figure, to_drawing


@kept_drawing
def sweeps(curves: Sequence[Curve], baseline: float | None, name: str) -> Drawing:
    """Accuracy against each weight; bars are the standard deviation over seeds, the dashed line is the baseline."""
    figure, axes = new_figure(8.6, 3.4, len(curves), sharey=True)
    for ax, curve in zip(axes, curves, strict=True):
        ax.set_title(curve.title)
        ax.set_xlabel(curve.id)
        if baseline is not None:
            _draw_baseline(ax, baseline)
        if curve.points:
            _draw_points(ax, curve)
        ax.update_datalim([(value, 0) for value, _ in curve.absent], updatey=False)  # annotations alone widen no axis
        for value, _ in curve.absent:
            ax.annotate("×", (value, 0.02), xycoords=("data", "axes fraction"), ha="center", color=MUTED)
        ax.set_xticks(sorted({p.x for p in curve.points} | {v for v, _ in curve.absent}))
        ax.margins(x=0.08, y=0.15)
    axes[0].set_ylabel("Top-1 accuracy (%)")
    said = "; ".join(
        f"{c.id}: " + ", ".join(f"{p.x:g} gives {100 * p.mean:.1f}{p.mark}" for p in c.points) for c in curves
    )
    return to_drawing(figure, "Top-1 accuracy in percent against " + " and ".join(c.id for c in curves), said, name)


def _draw_baseline(ax: Any, baseline: float) -> None:
    ax.axhline(100 * baseline, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(
        "baseline",
        (1, 100 * baseline),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        fontsize=8,
        color=MUTED,
        xytext=(0, 2),
        textcoords="offset points",
    )


def _draw_points(ax: Any, curve: Curve) -> None:
    """Points with their line and deviations; the mark of the default is filled."""
    x = [p.x for p in curve.points]
    y = [100 * p.mean for p in curve.points]
    ax.plot(x, y, color=HOT, linewidth=1.6, zorder=3)
    bands = [100 * p.band for p in curve.points if p.band is not None]
    if len(bands) == len(y):
        low, high = ([min(max(a + sign * b, 0), 100) for a, b in zip(y, bands, strict=True)] for sign in (-1, 1))
        if len(x) > 1:
            ax.fill_between(x, low, high, color=HOT, alpha=0.13, linewidth=0, zorder=1)
        else:
            ax.vlines(x, low, high, color=HOT, alpha=0.13, linewidth=14, zorder=1)
    if any(p.std is not None for p in curve.points):
        spread = [100 * (p.std or 0) for p in curve.points]
        ax.errorbar(x, y, yerr=spread, fmt="none", ecolor=HOT, elinewidth=1.2, capsize=3, zorder=3)
    for default, size, colour in ((False, 34, PAPER), (True, 40, HOT)):
        shown = [(a, b) for a, b in zip(x, y, strict=True) if (a == curve.default) == default]
        at, height = [a for a, _ in shown], [b for _, b in shown]
        ax.scatter(at, height, s=size, color=colour, edgecolor=HOT, linewidth=1.6, zorder=4)
    for p in curve.points:
        if p.mark:
            place = (p.x, 100 * p.mean)
            ax.annotate(p.mark, place, xytext=(6, 4), textcoords="offset points", color=INK, fontsize=9)


@kept_drawing
def heat_map(grid: HeatMap, name: str) -> Drawing:
    """Accuracy at every pair of weights: the fuller the colour the higher, from the lowest to the highest that is
    there. The default is framed."""
    xs, ys = (sorted({pair[i] for pair in grid.values}) for i in (0, 1))
    known = [v for v in grid.values.values() if v is not None]
    low, high = min(known), max(known)
    figure, (ax, bar) = new_figure(8.6, 1.6 + 0.5 * len(ys), 2, width_ratios=[40, 1])
    for (x, y), value in grid.values.items():
        place = (xs.index(x), ys.index(y))
        default = (x, y) == (grid.x.default, grid.y.default)
        if value is None:
            ax.annotate("×", place, ha="center", va="center", color=MUTED)
            continue
        shade = _shade((value - low) / (high - low) if high > low else 0)
        corner = (place[0] - 0.5, place[1] - 0.5)
        ax.add_patch(_patch(corner, facecolor=HOT, alpha=shade, linewidth=0))
        if default:
            inner = (corner[0] + 0.03, corner[1] + 0.03)
            ax.add_patch(_patch(inner, 0.94, facecolor="none", edgecolor=INK, linewidth=1.6))
        weight = "bold" if default else "normal"
        ax.annotate(_percent(grid, (x, y)), place, ha="center", va="center", color=INK, fontsize=9, fontweight=weight)
    ax.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
    ax.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
    ax.set_xlim(-0.5, len(xs) - 0.5)
    ax.set_ylim(-0.5, len(ys) - 0.5)
    ax.set_xlabel(grid.x.title)
    ax.set_ylabel(grid.y.title)
    ax.grid(visible=False)
    _colour_bar(bar, 100 * low, 100 * high)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    said = "; ".join(f"{grid.x.id} {x:g} and {grid.y.id} {y:g}: {_percent(grid, (x, y))}" for x, y in grid.values)
    return to_drawing(figure, f"Top-1 accuracy in percent for every pair of {grid.x.id} and {grid.y.id}", said, name)


def _shade(share: float) -> float:
    """How full the colour of a value is: 0 is the lowest that is there, 1 the highest."""
    return 0.06 + 0.5 * share


def _colour_bar(ax: Any, low: float, high: float) -> None:
    """What the colours mean, in percent; one colour where all values are equal."""
    steps = 25 if high > low else 1
    for i in range(steps):
        share = i / (steps - 1) if steps > 1 else 0
        ax.add_patch(_patch((0, i / steps), 1, facecolor=HOT, alpha=_shade(share), linewidth=0, height=1 / steps))
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[])
    ax.set_yticks([0, 1] if high > low else [0.5], [f"{v:.1f}" for v in ((low, high) if high > low else (low,))])
    ax.yaxis.tick_right()
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_ylabel("Top-1 (%)", fontsize=8)


def _percent(grid: HeatMap, pair: tuple[float, ...]) -> str:
    value = grid.values[pair]
    return "no result" if value is None else f"{100 * value:.1f}{grid.marks.get(pair, '')}"


def _patch(corner: tuple[float, float], side: float = 1.0, height: float | None = None, **look: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, side, side if height is None else height, **look)
