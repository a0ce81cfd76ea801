"""Plots by matplotlib, as SVG strings that are the same for the same numbers and follow the page's colours.

Text stays text, and the colours are CSS variables with a fallback, so that an inlined plot turns dark with
its page while the downloaded file stands alone."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from xml.sax.saxutils import escape

from markupsafe import Markup

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


STYLE: Any = {
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


P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw under ``STYLE``, whatever the process has set; matplotlib is imported when the first plot is drawn."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return wrapper


def new_figure(width: float, height: float, columns: int = 1, **kw: Any) -> tuple[Any, Any]:
    """A transparent figure and its axes side by side. Sizes in inches."""
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


def to_svg(figure: Any, title: str, description: str, prefix: str) -> Markup:
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
    return Markup(named)  # noqa: S704  matplotlib escapes its texts, and the two above are escaped here


def short_label(label: str, longest: int = 28) -> str:
    """A label that leaves room for what it labels: the middle of a long one is left out;
    the description has all of it.
    """
    return label if len(label) <= longest else f"{label[: longest - 9]}…{label[-8:]}"
