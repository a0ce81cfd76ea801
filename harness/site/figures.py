"""The figures of single runs, written for who asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def write_figures(work_dir: Path, runs: Sequence[str], folder: Path) -> list[Path]:
    """The files that ``reports.site.figures.run_figures`` writes."""
    from reports.site.figures import run_figures

    return run_figures(work_dir, runs, folder)
