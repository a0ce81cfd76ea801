"""Write the site: everything into a new folder first, then one swap, so that a site is whole or the old one."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from harness.manifest import (
    MANIFEST,
    check_site,
    files_below,
    not_written,
    overlap,
    read_manifest,
    write_manifest,
)
from harness.suite import Benchmark, Entry
from reports import exports
from reports.board import Board
from reports.model import Table
from reports.pages import content, pages
from reports.results import read_ledger
from reports.site import environment, render, site_context


def build(
    work_dir: Path,
    site: Path,
    benchmark: Benchmark,
    entries: dict[str, Entry],
    statistics: dict[str, dict[str, Any]] | None = None,
) -> list[Path]:
    """Write the pages of a ledger to ``site`` and return their paths, sorted.

    The same ledger gives the same bytes. Nothing is run, and no data set is read.

    Args:
        work_dir: holds ``plan.json``, ``runs/`` and, where made, ``contact_sheet_<data set>.png``.
        site: a new or empty folder, or one that an earlier call wrote: what that call wrote is replaced, the user's own
            files in it (``CNAME``) stay.
        statistics: per data set, what ``harness.data.stats`` measured; data sets may be missing.

    Raises:
        FileNotFoundError, ValueError: there is no plan, or it cannot be read.
        ValueError: ``site`` holds files that are not a leaderboard, or one in the place of a page.
        OSError: ``site`` cannot be written.
    """
    work_dir, site = Path(work_dir), Path(site)
    check_site(site, work_dir)
    board = Board(benchmark, entries, read_ledger(work_dir), statistics or {})
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=site.parent, prefix=f".{site.name}-"))
    except OSError as e:
        raise OSError(
            f"{site}: cannot write here ({e.strerror}); choose another folder with --site"
        ) from None
    try:
        _write(board, new)
        write_manifest(new)
        _keep_foreign(site, new)
        os.chmod(new, 0o755)
        _swap(new, site)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return sorted(p for p in site.rglob("*") if p.is_file())


def _keep_foreign(site: Path, new: Path) -> None:
    """Carry over what is the user's own in the old site."""
    if not (site / MANIFEST).is_file():
        return
    kept = not_written(files_below(site), read_manifest((site / MANIFEST).read_text(encoding="utf-8", errors="replace")))
    if clash := overlap(kept, files_below(new)):
        raise ValueError(f"{site / clash}: no report wrote this file, and a page has its place now; move it away")
    for name in kept:
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(site / name, new / name, follow_symlinks=False)


def _swap(new: Path, site: Path) -> None:
    """Put the new folder in the place of the old one."""
    if not site.exists():
        new.rename(site)
        return
    old = Path(tempfile.mkdtemp(dir=site.parent, prefix=f".{site.name}-old-"))
    site.rename(old / "site")
    try:
        new.rename(site)
    except OSError:
        (old / "site").rename(site)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _write(board: Board, out: Path) -> None:
    made = content(board, _contact_sheets(board, out))
    site, env = site_context(board, made.tables, made.figures, made.extra), environment()
    for page in pages(board, made):
        _text(out / page.path, render(env, page, site))
    for run in made.runs:
        if run.predictions is not None:
            _text(out / run.csv, run.predictions.csv)
    datasets = {t.id: t.dataset for t in (*board.benchmark.tables, *board.benchmark.figures)}
    datasets |= {f.grid.id: f.dataset for f in board.benchmark.figures if f.grid is not None}
    for table in made.every_table:
        _downloads(out / "downloads", table, board.header(datasets.get(table.id, "")))
    for figure in made.figures:
        for name, svg in ((figure.figure.id, figure.svg), (figure.grid and figure.grid.id, figure.grid_svg)):
            if svg:
                _text(out / "downloads" / f"{name}.svg", f'<?xml version="1.0" encoding="utf-8"?>\n{svg}')
    for source, place in made.translator.files if made.translator else ():
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, out / place)
    everything = leaderboard(board, made.every_table)
    text = json.dumps(everything, indent=1, ensure_ascii=False, allow_nan=False)
    _text(out / "leaderboard.json", text + "\n")
    _static(out / "static")
    _text(out / ".nojekyll", "")  # hosts that build pages would drop folders that begin with _


def _contact_sheets(board: Board, out: Path) -> dict[str, str]:
    """Copy the contact sheets that the work dir holds; data set -> path in the site."""
    found = {}
    for dataset in board.benchmark.datasets:
        sheet = board.ledger.work_dir / f"contact_sheet_{dataset}.png"
        if sheet.is_file():
            found[dataset] = f"images/{sheet.name}"
            (out / "images").mkdir(exist_ok=True)
            shutil.copyfile(sheet, out / found[dataset])
    return found


def _downloads(folder: Path, table: Table, header: list[str]) -> None:
    for suffix, write in (("csv", exports.to_csv), ("md", exports.to_markdown), ("tex", exports.to_latex)):
        _text(folder / f"{table.id}.{suffix}", write(table, header))


def leaderboard(board: Board, tables: list[Table]) -> dict[str, Any]:
    """Everything on the pages, as data."""
    plan = board.ledger.plan
    return {
        "title": board.benchmark.title,
        "profile": plan.profile,
        "seeds": plan.seeds,
        "commit": plan.commit,
        "synthetic": board.synthetic(),
        "command": board.command,
        "datasets": {
            d: {"title": board.benchmark.datasets[d].title, "synthetic": board.synthetic(d)}
            for d in board.datasets
        },
        "runs": [
            {
                "cell": r.cell.id,
                "seed": r.cell.seed,
                "key": r.cell.key,
                "status": r.status,
                "reason": r.reason,
                "page": r.page,
            }
            for r in board.ledger.runs
        ],
        "tables": [exports.to_json(t) for t in tables],
    }


def _static(folder: Path) -> None:
    for source in sorted(files("reports").joinpath("static").iterdir(), key=lambda p: p.name):
        _text(folder / source.name, source.read_text(encoding="utf-8"))


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
