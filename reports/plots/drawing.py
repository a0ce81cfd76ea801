"""Plots by matplotlib, the same bytes for the same numbers: inlined they follow the page's colours, as files they
stand alone."""

from __future__ import annotations

import functools
import io
import logging
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from xml.sax.saxutils import escape

from markupsafe import Markup

from harness.ledger.files import writing_to
from reports.plots.fonts import families, give_folder, missing_letters
from reports.plots.kept import kept

log = logging.getLogger(__name__)

# drawn colour -> the page's variable of it, which an inlined plot has instead
COLOURS = {
    "#1d2129": "--ink",
    "#5b6472": "--muted",
    "#d5d9e0": "--line",
    "#c2410c": "--hot",
    "#2563a8": "--cold",
    "#ffffff": "--paper",
}
INK, MUTED, LINE, HOT, COLD, PAPER = COLOURS


STYLE: Any = {
    "svg.hashsalt": "mgr-dark",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,  # TrueType: publishers refuse matplotlib's own kind
    "font.size": 10,
    "text.parse_math": False,  # names are a user's: a dollar in one is a dollar
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


@dataclass(frozen=True)
class Drawing:
    """A plot as a page shows it (``svg``, for inlining), and what ``to_files`` makes files of."""

    svg: Markup
    title: str
    description: str
    figure: Any
    drawn_from: str = ""  # says all that it shows, "" where it is not kept


P = ParamSpec("P")
R = TypeVar("R")


KINDS = ("pdf", "png", "svg")  # of files
WIDTH = 6.5  # inches of a file: the text of a paper, over both columns where it has two


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw under ``STYLE``, whatever the process has set; matplotlib is imported when the first plot is drawn."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        give_folder()
        import matplotlib

        with matplotlib.rc_context(STYLE | {"font.family": families()}):
            return draw(*args, **kwargs)

    return wrapper


def kept_drawing(draw: Callable[P, Drawing]) -> Callable[P, Drawing]:
    """As ``draw``, and drawn once for the same arguments, whose ``repr`` says all of them. ``figure`` of what was kept
    is the call that draws it."""
    again = styled(draw)

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Drawing:
        what = f"{draw.__qualname__} {args!r} {kwargs!r}"
        new: list[Drawing] = []

        def make() -> dict[str, str]:
            new.append(drawn := again(*args, **kwargs))
            return {"svg": str(drawn.svg), "title": drawn.title, "description": drawn.description}

        found = kept(what, make)
        if new:
            return replace(new[0], drawn_from=what)
        svg = Markup(found["svg"])  # noqa: S704  drawn by ``draw``, see ``to_svg``
        return Drawing(svg, found["title"], found["description"], lambda: again(*args, **kwargs).figure, what)

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


def to_drawing(figure: Any, title: str, description: str, prefix: str) -> Drawing:
    return Drawing(to_svg(figure, title, description, prefix), title, description, figure)


def to_svg(figure: Any, title: str, description: str, prefix: str) -> Markup:
    """The figure as an inline SVG element, named for screen readers; ids carry a prefix, unique in a page.

    Text stays text, and the colours are CSS variables, so that the plot turns dark with its page.
    """
    with missing_letters(), laid_out(figure):  # a browser has fonts of its own
        text = _svg(figure, title, description)
    for drawn, variable in COLOURS.items():
        text = text.replace(drawn, f"var({variable}, {drawn})")
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
    text = re.sub(r"font: ((?:\d+ )?[\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", text)
    start, rest = text.split(">", 1)
    start = re.sub(r' (?:width|height|version)="[^"]*"', "", start)
    return Markup(f"{start}>{rest}")  # noqa: S704  matplotlib escapes its texts, and ``_svg`` escapes the others


@contextmanager
def laid_out(figure: Any) -> Iterator[None]:
    """A context in which the layout of a figure is found once: with an engine each format draws everything twice, and
    lays it out each time."""
    engine = figure.get_layout_engine()
    engine.execute(figure)
    figure.set_layout_engine(None)
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def to_files(drawing: Drawing, note: str) -> dict[str, bytes]:
    """The plot as files: kind (of ``KINDS``) -> content, on white and with literal colours.

    Args:
        note: how the numbers were made; stands below the plot and in what the file says about itself.
    """
    new: list[tuple[dict[str, bytes], str]] = []

    def make() -> dict[str, str]:
        new.append(_to_files(drawing, note))
        files, missing = new[0]
        return {"missing": missing} | {kind: b64encode(content).decode() for kind, content in files.items()}

    if drawing.drawn_from:
        found = dict(kept((drawing.drawn_from, note), make))
        if not found.pop("missing"):
            return {kind: b64decode(text) for kind, text in found.items()}
    files, missing = new[0] if new else _to_files(drawing, note)  # those with boxes again: a font may be here by now
    if missing:
        log.warning(
            f"figure {drawing.title!r}: no font here has {missing!r}, its files show boxes; install one that has, and "
            "report again (Debian: fonts-noto-cjk for Chinese, Japanese and Korean)"
        )
    return files


@styled
def _to_files(drawing: Drawing, note: str) -> tuple[dict[str, bytes], str]:
    """(files, letters that no font here has)"""
    import matplotlib
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    figure = drawing.figure() if callable(drawing.figure) else drawing.figure
    width, height = figure.get_size_inches()
    figure.set_size_inches(WIDTH, height * min(1.0, 1.2 * WIDTH / width))
    figure.patch.set_alpha(1)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7, color=MUTED)
    said = {"Title": drawing.title}
    out = {}
    FigureCanvasPdf(figure)
    with missing_letters() as missing, laid_out(figure):
        for kind, metadata in (
            ("pdf", said | {"Subject": note, "Keywords": drawing.description, "CreationDate": None}),
            ("png", said | {"Description": f"{drawing.description}\n{note}"}),
        ):
            content = io.BytesIO()
            figure.savefig(content, format=kind, dpi=200, metadata=metadata)
            out[kind] = content.getvalue()
        with matplotlib.rc_context({"svg.fonttype": "path"}):  # looks the same where the fonts are others
            svg = _svg(figure, drawing.title, f"{drawing.description}\n{note}")
    out["svg"] = f'<?xml version="1.0" encoding="utf-8"?>\n{svg}'.encode()
    return out, "".join(missing)


@functools.lru_cache(maxsize=32)
def kept_files(drawing: Drawing, note: str) -> Mapping[str, bytes]:
    """``to_files``, made once for a drawing that is kept: pages are written again and again while jobs run."""
    return to_files(drawing, note)


def file_writers(drawing: Drawing, note: str, place: str) -> dict[str, Callable[[Path], None]]:
    """What writes ``kept_files`` of a drawing, by their places in the site, which begin with ``place``. They are drawn
    when the first is written, which takes longer than the drawing itself: other processes write pages meanwhile."""
    return {f"{place}.{kind}": functools.partial(_write, drawing, note, kind) for kind in KINDS}


def _write(drawing: Drawing, note: str, kind: str, path: Path) -> None:
    content = kept_files(drawing, note)[kind]
    with writing_to(path):
        path.write_bytes(content)


def _svg(figure: Any, title: str, description: str) -> str:
    """An SVG element that says what it shows, without the date and addresses that matplotlib adds."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.S)
    start, rest = text.split(">", 1)
    return f'{start} role="img">\n<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>{rest}'


def short_label(label: str, longest: int = 28) -> str:
    """A label that leaves room for what it labels: the middle of a long one is left out;
    the description has all of it.
    """
    return label if len(label) <= longest else f"{label[: longest - 9]}…{label[-8:]}"
