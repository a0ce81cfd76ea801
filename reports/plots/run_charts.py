"""What a run page shows, as plots to take away: training curves, confusion matrix, strips of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.ledger.record import Epoch
from reports.plots.drawing import HOT, INK, MUTED, Drawing, new_figure, styled, to_drawing
from reports.plots.line_chart import training_series

# the lines of a run page on its light ground: six colours, and after each six another dash
LINES = ("#b93a0b", "#1f5fa5", "#1d2129", "#c06c84", "#4a9ac7", "#3a0ca3")

DASHES = ("-", (0, (4, 2)), (0, (1, 1.6)), (0, (5, 1.6, 1, 1.6)))


@styled
def training(epochs: Sequence[Epoch], name: str) -> Drawing:
    """Loss terms, accuracy on training batches and learning rate against the epoch, as far as they are recorded."""
    panels = [(title, found) for title, found in training_series(epochs).items() if found]
    figure, axes = new_figure(8.6, 3.2, len(panels))
    for ax, (title, series) in zip(axes, panels, strict=True):
        for i, (line, points) in enumerate(series.items()):
            x, y = zip(*points, strict=True)
            look = {
                "color": LINES[i % len(LINES)],
                "linestyle": DASHES[i // len(LINES) % len(DASHES)],
                "linewidth": 1.6,
            }
            ax.plot(x, y, marker="o" if len(x) == 1 else None, label=line, **look)
        ax.set_title(title, fontsize=8.5)
        ax.set_xlabel("epoch")
        ax.set_ylim(bottom=0)
        if len(series) > 1:
            ax.legend(fontsize=8, frameon=False)
    said = "; ".join(f"{line} from {p[0][1]:.3g} to {p[-1][1]:.3g}" for _, s in panels for line, p in s.items())
    return to_drawing(figure, f"Training of {name}", said, "training")


@styled
def confusion(counts: np.ndarray, classes: Sequence[str], name: str) -> Drawing:
    """Clips by true class (rows) and predicted class (columns); the colour is the share of the row's clips.

    Args:
        counts: int [classes, classes].
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.4 + 0.26 * len(classes)
    figure, (ax,) = new_figure(side + 0.8, side)
    picture = ax.imshow(shares, cmap=_colours(), vmin=0, vmax=1)
    for i, j in zip(*np.nonzero(counts), strict=True):
        ax.annotate(str(counts[i, j]), (j, i), ha="center", va="center", fontsize=7, color=INK)
    ax.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
    ax.set_yticks(range(len(classes)), classes, fontsize=7)
    ax.set(xlabel="predicted", ylabel="true")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    bar = figure.colorbar(picture, ax=ax, shrink=0.8)
    bar.set_label("share of the true class's clips", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    said = f"{int(np.trace(counts))} of {int(counts.sum())} clips right"
    return to_drawing(figure, f"Confusion matrix of {name}", said, "confusion")


def _colours() -> Any:
    """From white to an orange on which dark letters have a contrast of more than 4.5."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

    red, green, blue = (0.65 * c + 0.35 for c in to_rgb(HOT))
    return LinearSegmentedColormap.from_list("share", ["#ffffff", to_hex((red, green, blue))])


@styled
def strip(picture: Path, rows: Sequence[str], clip: str, name: str) -> Drawing:
    """A strip of pictures with what each of its rows shows."""
    from matplotlib.image import imread

    pixels = imread(picture)
    height, width = pixels.shape[:2]
    figure, (ax,) = new_figure(8.6, 0.6 + 7.2 * height / width)
    ax.imshow(pixels, interpolation="none")
    ax.set_yticks([(i + 0.5) * height / len(rows) for i in range(len(rows))], rows, fontsize=8)
    ax.set_xticks([])
    ax.set_xlabel(clip, fontsize=8, color=MUTED)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return to_drawing(figure, f"{clip}, rendered by {name}", "from the top: " + ", ".join(rows), "strip")
