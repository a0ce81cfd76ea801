"""Plots by matplotlib, as SVG strings that are the same for the same numbers and follow the page's colours.

Text stays text, and the colours are CSS variables with a fallback, so that an inlined plot turns dark with
its page while the downloaded file stands alone."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from markupsafe import Markup

from reports.plots.sweep import Curve, HeatMap

# drawn colour -> CSS variable with a fallback for the stand-alone file
COLOURS = {
    "#010101": "var(--ink, #1d2129)",
    "#020202": "var(--muted, #5b6472)",
    "#030303": "var(--line, #d5d9e0)",
    "#040404": "var(--hot, #c2410c)",
    "#050505": "var(--cold, #2563a8)",
    "#060606": "var(--paper, #ffffff)",
}
INK, MUTED, LINE, HOT, COLD, PAPER = COLOURS
LIGHTS = {"dark": HOT, "daylight": COLD}


STYLE = {
    "svg.hashsalt": "mgr-dark",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
}


def styled(draw):
    """Draw under ``STYLE``, whatever the process has set; matplotlib is imported when the first plot is drawn."""

    @functools.wraps(draw)
    def wrapper(*args, **kwargs):
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return wrapper


def _figure(width: float, height: float, columns: int = 1, **kw):
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    figure.patch.set_alpha(0)
    axes = figure.subplots(1, columns, squeeze=False, **kw)[0]
    for ax in axes:
        ax.patch.set_alpha(0)
        ax.grid(axis="y", color=LINE, linewidth=0.6)
        ax.tick_params(length=0)
    return figure, axes


def _svg(figure, title: str, description: str, prefix: str) -> Markup:
    """The figure as an inline SVG element, named for screen readers; ids carry a prefix, unique in a page."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.S)
    for drawn, css in COLOURS.items():
        text = text.replace(drawn, css)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
    text = re.sub(r"font: ((?:\d+ )?[\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", text)
    start, rest = text.split(">", 1)
    start = re.sub(r' (?:width|height|version)="[^"]*"', "", start)
    named = f'{start} role="img">\n<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>{rest}'
    return Markup(named)  # matplotlib escapes its texts, and the two above are escaped here


@styled
def sweeps(curves: Sequence[Curve], baseline: float | None, name: str) -> str:
    """Accuracy against each weight; bars are the standard deviation over seeds, the dashed line is the baseline."""
    figure, axes = _figure(8.6, 3.4, len(curves), sharey=True)
    for ax, curve in zip(axes, curves, strict=True):
        ax.set_title(curve.title)
        ax.set_xlabel(curve.id)
        if baseline is not None:
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
        if curve.points:
            x = [p.x for p in curve.points]
            y = [100 * p.mean for p in curve.points]
            spread = [100 * (p.std or 0) for p in curve.points]
            ax.plot(x, y, color=HOT, linewidth=1.6, zorder=3)
            if any(p.std is not None for p in curve.points):
                ax.errorbar(x, y, yerr=spread, fmt="none", ecolor=HOT, elinewidth=1.2, capsize=3, zorder=3)
            marks = [p.x == curve.default for p in curve.points]
            ax.scatter(
                [a for a, m in zip(x, marks, strict=True) if not m],
                [b for b, m in zip(y, marks, strict=True) if not m],
                s=34,
                color=PAPER,
                edgecolor=HOT,
                linewidth=1.6,
                zorder=4,
            )
            ax.scatter(
                [a for a, m in zip(x, marks, strict=True) if m],
                [b for b, m in zip(y, marks, strict=True) if m],
                s=40,
                color=HOT,
                edgecolor=HOT,
                linewidth=1.6,
                zorder=4,
            )
        for value, _ in curve.absent:
            ax.annotate("×", (value, 0.02), xycoords=("data", "axes fraction"), ha="center", color=MUTED)
        ax.set_xticks(sorted({p.x for p in curve.points} | {v for v, _ in curve.absent}))
        ax.margins(x=0.08, y=0.15)
    axes[0].set_ylabel("Top-1 accuracy (%)")
    said = "; ".join(f"{c.id}: " + ", ".join(f"{p.x:g} gives {100 * p.mean:.1f}" for p in c.points) for c in curves)
    return _svg(figure, "Top-1 accuracy in percent against " + " and ".join(c.id for c in curves), said, name)


@styled
def heat_map(grid: HeatMap, name: str) -> str:
    """Accuracy at every pair of weights: the fuller the colour the higher, from the lowest to the highest that is
    there. The default is framed."""
    xs, ys = (sorted({pair[i] for pair in grid.values}) for i in (0, 1))
    known = [v for v in grid.values.values() if v is not None]
    low, high = min(known), max(known)
    figure, (ax,) = _figure(8.6, 1.6 + 0.5 * len(ys))
    for (x, y), value in grid.values.items():
        place = (xs.index(x), ys.index(y))
        default = (x, y) == (grid.x.default, grid.y.default)
        if value is None:
            ax.annotate("×", place, ha="center", va="center", color=MUTED)
            continue
        shade = 0.06 + 0.5 * ((value - low) / (high - low) if high > low else 0)
        corner = (place[0] - 0.5, place[1] - 0.5)
        ax.add_patch(_patch(corner, facecolor=HOT, alpha=shade, linewidth=0))
        if default:
            inner = (corner[0] + 0.03, corner[1] + 0.03)
            ax.add_patch(_patch(inner, 0.94, facecolor="none", edgecolor=INK, linewidth=1.6))
        weight = "bold" if default else "normal"
        ax.annotate(f"{100 * value:.1f}", place, ha="center", va="center", color=INK, fontsize=9, fontweight=weight)
    ax.set_xticks(range(len(xs)), [f"{x:g}" for x in xs])
    ax.set_yticks(range(len(ys)), [f"{y:g}" for y in ys])
    ax.set_xlim(-0.5, len(xs) - 0.5)
    ax.set_ylim(-0.5, len(ys) - 0.5)
    ax.set_xlabel(grid.x.title)
    ax.set_ylabel(grid.y.title)
    ax.grid(visible=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    said = "; ".join(
        f"{grid.x.id} {x:g} and {grid.y.id} {y:g}: " + ("no result" if v is None else f"{100 * v:.1f}")
        for (x, y), v in grid.values.items()
    )
    return _svg(figure, f"Top-1 accuracy in percent for every pair of {grid.x.id} and {grid.y.id}", said, name)


def _short(label: str, longest: int = 28) -> str:
    """A label that leaves room for what it labels: the middle of a long one is left out; the description has all of
    it.
    """
    return label if len(label) <= longest else f"{label[: longest - 9]}…{label[-8:]}"


def _patch(corner: tuple[float, float], side: float = 1.0, **look):
    from matplotlib.patches import Rectangle

    return Rectangle(corner, side, side, **look)


@styled
def bars(
    panels: Sequence[tuple[str, Sequence[tuple[str, float]]]], lighting: Sequence[str], name: str, title: str
) -> str:
    """Horizontal bars side by side: (panel title, [(label, value)]).

    Args:
        lighting: of each bar of a panel: "dark", "daylight" or "" where it is not declared; decides its colour.
    """
    rows = max(len(values) for _, values in panels)
    figure, axes = _figure(8.6, 0.9 + 0.42 * rows, len(panels), sharey=True)
    for ax, (panel, values) in zip(axes, panels, strict=True):
        numbers = [v for _, v in values]
        ax.set_yticks(range(len(values)), [_short(label) for label, _ in values])
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
    axes[0].invert_yaxis()
    said = "; ".join(f"{p}: " + ", ".join(f"{label} {v:.3f}" for label, v in values) for p, values in panels)
    return _svg(figure, title, said, name)


@styled
def histogram(edges: Sequence[float], counts: Sequence[int], xlabel: str, name: str, title: str) -> str:
    """A histogram of counts between edges (one more edge than counts)."""
    figure, (ax,) = _figure(4.6, 2.6)
    widths = [b - a for a, b in zip(edges, edges[1:], strict=False)]
    ax.bar(edges[:-1], counts, width=widths, align="edge", color=COLD, edgecolor=PAPER, linewidth=1)
    ax.set_xlabel(xlabel)
    ax.set_ylabel("clips")
    said = ", ".join(f"{a:g} to {b:g}: {n}" for a, b, n in zip(edges, edges[1:], counts, strict=False))
    return _svg(figure, title, said, name)


@styled
def counts(values: Sequence[tuple[str, int]], name: str, title: str) -> str:
    """Vertical bars of counts with their labels; wider for many and higher for long labels, so that bars have room."""
    labels = [_short(label) for label, _ in values]
    turned = len(values) > 6 or sum(map(len, labels)) > 50
    height = 2.6 + (0.06 * max(map(len, labels), default=0) if turned else 0)
    figure, (ax,) = _figure(max(4.6, 0.17 * len(values)), height)
    ax.set_xticks(range(len(values)), labels)
    ax.bar(range(len(values)), [n for _, n in values], color=COLD, width=0.7)
    ax.set_ylabel("clips")
    ax.tick_params(axis="x", labelsize=8)
    if turned:
        for label in ax.get_xticklabels():
            label.set(rotation=60, ha="right", rotation_mode="anchor")
    return _svg(figure, title, ", ".join(f"{label}: {n}" for label, n in values), name)
