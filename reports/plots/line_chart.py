"""Line charts of a run page as plain geometry, drawn by a template: a page holds three and a site sixty such pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.ledger.record import Epoch

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 360, 190, 46, 24, 10, 10


class Line(NamedTuple):
    name: str
    points: str  # "x,y x,y" in the coordinates of the drawing
    last: str  # the last value, for the legend
    dot: bool = False  # a single point, which stands twice


class Tick(NamedTuple):
    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    title: str
    lines: tuple[Line, ...]
    xticks: tuple[Tick, ...]
    yticks: tuple[Tick, ...]
    description: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    bottom: int = HEIGHT - BOTTOM
    right: int = WIDTH - RIGHT
    top: int = TOP


def nice_ticks(low: float, high: float, n: int = 4) -> list[float]:
    """Round numbers that cover [low, high] with about ``n`` steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / n
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [k * step for k in range(first, last + 1)]


def chart(title: str, series: Mapping[str, Sequence[tuple[float, float]]], zero: bool = False) -> Chart | None:
    """A chart of named series of (x, y); values that are not finite are left out. None where nothing is left.

    Args:
        zero: the y axis starts at 0.
    """
    kept = _finite(series)
    if not kept:
        return None
    xs = [x for s in kept.values() for x, _ in s]
    ys = [y for s in kept.values() for _, y in s]
    yticks = nice_ticks(0.0 if zero else min(ys), max(ys))
    x0, x1, y0, y1 = min(xs), max(xs), yticks[0], yticks[-1]

    def px(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((x - x0) / (x1 - x0) if x1 > x0 else 0.5)

    def py(y: float) -> float:
        return TOP + (HEIGHT - BOTTOM - TOP) * (1 - (y - y0) / (y1 - y0))

    across = {x: f"{px(x):.1f}" for x in {*xs}}  # lines have their epochs in common
    whole = sorted({round(x) for x in nice_ticks(x0, x1) if x0 <= round(x) <= x1} | {x0, x1})
    xticks = [x for x in whole if x in (x0, x1) or min(abs(px(x) - px(x0)), abs(px(x) - px(x1))) > 24]
    return Chart(
        title,
        tuple(
            Line(n, " ".join(f"{across[x]},{py(y):.1f}" for x, y in _ends(s)), f"{s[-1][1]:.3g}", len(s) == 1)
            for n, s in kept.items()
        ),
        tuple(Tick(round(px(x), 1), f"{x:g}") for x in xticks),
        tuple(Tick(round(py(y), 1), f"{y:.3g}") for y in yticks),
        "; ".join(f"{n}: from {s[0][1]:.3g} to {s[-1][1]:.3g} over {len(s)} epochs" for n, s in kept.items()),
    )


def _ends(s: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return [*s, *s] if len(s) == 1 else s  # a line without length, whose round ends are a dot


def training_series(epochs: Sequence[Epoch]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Chart -> line -> (epoch, value): loss terms, accuracy on training batches, and learning rate, as far as they were
    recorded; values that are not finite are left out."""
    terms = sorted({name for e in epochs for name in e.losses})
    losses = {"loss": [(e.epoch, e.loss) for e in epochs]}
    if len(terms) > 1 or (terms and terms[0] not in ("loss", "loss_cls")):
        losses |= {t: [(e.epoch, e.losses[t]) for e in epochs if t in e.losses] for t in terms if t != "loss"}
    accuracy = {"training batches": [(e.epoch, 100 * e.train_top1) for e in epochs if e.train_top1 is not None]}
    rate = {"learning rate": [(e.epoch, e.lr) for e in epochs if e.lr is not None]}
    found = {"Loss": losses, "Top-1 on training batches (%)": accuracy, "Learning rate": rate}
    return {title: _finite(series) for title, series in found.items()}


def _finite(series: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, list[tuple[float, float]]]:
    kept = {n: [(float(x), float(y)) for x, y in s if math.isfinite(y)] for n, s in series.items()}
    return {n: s for n, s in kept.items() if s}


def training_charts(epochs: Sequence[Epoch]) -> list[Chart]:
    """The charts of ``training_series`` that have something to show."""
    made = [chart(title, series, zero=True) for title, series in training_series(epochs).items()]
    return [c for c in made if c is not None]
