"""Write the site: everything into a new folder first, then one swap, so that a site is whole or the old one."""

from __future__ import annotations

import errno
import glob
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from harness.errors import BadUsage
from harness.ledger.clip_pictures import Wanted
from harness.ledger.files import exchange, writing_to
from harness.ledger.site_manifest import (
    MANIFEST,
    check_site,
    files_below,
    not_written,
    overlap,
    read_manifest,
    write_manifest,
)
from harness.suite import Benchmark, Entry
from harness.system.disk import DiskFull
from harness.system.gc_pause import gc_paused, gc_spared
from reports.ledger.clip_pictures import wanted_pictures
from reports.ledger.clip_sets import clip_sets
from reports.ledger.context import ReportContext
from reports.ledger.ledger import make_ledger, privacy_of
from reports.ledger.running import Running
from reports.ledger.undeclared import with_undeclared
from reports.ledger.work_dir import profiles_of, read_work_dir
from reports.page import Page
from reports.site.json_pieces import json_pieces
from reports.site.later import Progress, later_written
from reports.site.leaderboard import SCHEMA_PLACE, Leaderboard, leaderboard
from reports.site.pages import build_pages, tables_of
from reports.site.render import environment, render, site_context
from reports.site.unchanged import Unchanged
from reports.stats.remembered import remembering
from reports.tables import export as exports
from reports.tables.latex import to_latex
from reports.tables.table import Table

log = logging.getLogger(__name__)

UNFINISHED = ".unfinished"  # end of the name of the folder in which pages are written
LEFT_SECONDS = 24 * 3600.0  # that old, nobody writes there any more


@dataclass(frozen=True)
class Callbacks:
    """What is told while pages are written.

    Args:
        draw: which pictures of clips the pages would show, before they take those that are there.
        progress: called as progress(pages of runs done, pages of runs in all) for each profile.
    """

    draw: Callable[[Wanted], None] | None = None
    progress: Progress = None


@remembering()
def build(  # noqa: PLR0913  what pages are made of, and what may be known beside it
    work_dirs: Path | Sequence[Path],
    site: Path,
    benchmark: Benchmark,
    entries: dict[str, Entry],
    statistics: Sequence[dict[str, dict[str, Any]]] = (),
    profiles: Sequence[str] = (),
    running: Running | None = None,
    callbacks: Callbacks = Callbacks(),
) -> list[Path]:
    """Write the pages of ledgers to ``site`` and return their paths, sorted.

    The same ledgers give the same bytes. Nothing is run, and no data set is read.

    Args:
        work_dirs: one ledger, or several that are shown together. Each holds ``plan.json``, ``runs/`` and, where made,
            ``contact_sheet_<data set>.png`` and ``clip_pictures/``.
        site: a new or empty folder, or one that an earlier call wrote: what that call wrote is replaced, the user's own
            files in it (``CNAME``) stay.
        statistics: of each work dir, by data set, what ``harness.data.describe.statistics`` measured; data sets may
            be missing.
        profiles: those to show, the main one first; if empty all that were planned or run, the last plan's first. The
            others have pages of their own in ``profiles/<name>/``.
        running: what runs meanwhile; the pages say it, and reload themselves.
        callbacks: told while pages are written.

    Raises:
        FileNotFoundError, ValueError: nothing was planned or run, or the plan of an empty ledger cannot be read.
        BadUsage: a profile of which there is nothing.
        ValueError: ``site`` holds files that are not a leaderboard, or one in the place of a page.
        OSError: ``site`` cannot be written; DiskFull where there is no room for the new pages.
    """
    site = Path(site)
    if site.is_symlink():  # what it points to is replaced, wherever that lies, and the link stays
        site = site.resolve()
    folders = [Path(w) for w in ([work_dirs] if isinstance(work_dirs, (str, Path)) else work_dirs)]
    for folder in folders:
        check_site(site, folder)
    with gc_paused():  # a large ledger stays until its pages are written: no use to look for garbage in it
        contexts = _contexts(folders, benchmark, entries, statistics, list(profiles))
    contexts[0] = replace(contexts[0], running=running)
    if callbacks.draw is not None:
        for context in contexts:
            callbacks.draw(wanted_pictures(context))
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(site)
        new = Path(tempfile.mkdtemp(UNFINISHED, f".{site.name}-", site.parent))
    except OSError as e:
        raise OSError(f"{site}: cannot write here ({e.strerror}); choose another folder with --site") from None
    try:
        unchanged = Unchanged(site, new)
        with gc_spared():
            for i, context in enumerate(contexts):
                _write(context, new / profile_folder(context.profile) if i else new, unchanged, callbacks.progress)
        _text(new / ".nojekyll", "")  # hosts that build pages would drop folders that begin with _
        write_manifest(new, unchanged.made_from, running.at if running else "", unchanged.hashes)
        _keep_foreign(site, new)
        os.chmod(new, 0o755)  # noqa: S103  a web server reads it
        _swap(new, site)
    except OSError as e:
        if e.errno not in (errno.ENOSPC, errno.EDQUOT):
            if isinstance(e.filename, str):  # where it would have been
                e.filename = e.filename.replace(str(new), str(site))
            raise
        stay = "; the pages from before stay" if site.exists() else ""
        raise DiskFull(f"{site}: the disk is full, the new pages do not fit{stay}; free some and report again") from e
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return [path for name in files_below(site) if (path := site / name).is_file()]


def _contexts(
    folders: Sequence[Path],
    benchmark: Benchmark,
    entries: dict[str, Entry],
    statistics: Sequence[dict[str, dict[str, Any]]],
    asked: list[str],
) -> list[ReportContext]:
    """What is known of each profile, the main one first. Statistics of the data at hand are the main one's alone."""
    ledgers = [read_work_dir(folder) for folder in folders]
    found, own = profiles_of(ledgers), privacy_of(ledgers)
    for problem in (w.problem for w in ledgers if w.problem):
        log.warning("%s", problem)
    for profile in asked:
        if profile not in found:
            raise BadUsage(
                f"--profile {profile}: nothing of it was planned or run here; choose from {', '.join(found)}"
            )
    shown = list(dict.fromkeys(asked)) or found

    def places(own: str) -> dict[str, str]:
        up = "" if own == shown[0] else "../../"
        return {p: up + (f"{profile_folder(p)}/" if i else "") + "index.html" for i, p in enumerate(shown) if p != own}

    contexts = []
    for i, p in enumerate(shown):
        there = {name: entry.at(p) for name, entry in entries.items()}
        ledger = make_ledger(ledgers, p, benchmark, there, own)
        public = [{name: ledger.privacy.all(about) for name, about in found.items()} for found in statistics]
        declared = with_undeclared(benchmark, (record for _, record in ledger.records.values()))
        contexts.append(ReportContext(declared, there, ledger, clip_sets([] if i else public, ledger), places(p)))
    return contexts


def profile_folder(profile: str) -> str:
    """Where the pages of a further profile lie in the site."""
    return f"profiles/{profile}"


def _remove_left(site: Path) -> None:
    """Remove what earlier reports, which were killed, have left of unfinished pages."""
    for left in site.parent.glob(f".{glob.escape(site.name)}-????????{UNFINISHED}"):
        with suppress(FileNotFoundError):  # it has just become the site
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _keep_foreign(site: Path, new: Path) -> None:
    """Carry over what is the user's own in the old site."""
    if not (site / MANIFEST).is_file():
        return
    kept = not_written(
        files_below(site), read_manifest((site / MANIFEST).read_text(encoding="utf-8", errors="replace"))
    )
    if clash := overlap(kept, files_below(new)):
        raise ValueError(f"{site / clash}: no report wrote this file, and a page has its place now; move it away")
    for name in kept:
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(site / name, new / name, follow_symlinks=False)


def _swap(new: Path, site: Path) -> None:
    """Put the new folder in the place of the old one, which is then where the new one was."""
    if not site.exists():
        new.rename(site)
        return
    if exchange(new, site):
        return
    old = Path(tempfile.mkdtemp(dir=site.parent, prefix=f".{site.name}-old-"))
    site.rename(old / "site")
    try:
        new.rename(site)
    except BaseException:
        (old / "site").rename(site)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _write(context: ReportContext, out: Path, unchanged: Unchanged, progress: Progress) -> None:
    """Write the pages of a profile to ``out``, in the new site."""
    pages = build_pages(context)
    site, env = site_context(context, pages), environment()
    with later_written(pages, context, site, out, unchanged, progress):
        for page in (p for p in pages if p.later is None):
            _text(out / page.path, render(env, page, site))
            _files(page, out)
        for table in tables_of(pages):
            _downloads(out / "downloads", table, context)
        _json(out / "leaderboard.json", leaderboard(context, pages))
        _json(out / SCHEMA_PLACE, Leaderboard.model_json_schema())
        _static(out / "static")


def _files(page: Page, out: Path) -> None:
    for place, content in page.files.items():
        if isinstance(content, Path):
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(content, out / place)
        elif callable(content):
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            content(out / place)
        elif isinstance(content, bytes):
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            _bytes(out / place, content)
        else:
            _text(out / place, content)


def _downloads(folder: Path, table: Table, context: ReportContext) -> None:
    header, made = context.header(table.dataset), context.made(table.dataset)
    _text(folder / f"{table.id}.csv", exports.to_csv(table, made))
    _json(folder / f"{table.id}.csv-metadata.json", exports.csv_metadata(table, header, made))
    _text(folder / f"{table.id}.md", exports.to_markdown(table, header))
    if table.paper:
        _text(folder / f"{table.id}.tex", to_latex(table, header))


def _static(folder: Path) -> None:
    for source in sorted(files("reports").joinpath("static").iterdir(), key=lambda p: p.name):
        _text(folder / source.name, source.read_text(encoding="utf-8"))


def _json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_to(path), open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(json_pieces(content))
        file.write("\n")


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _bytes(path, text.encode())


def _bytes(path: Path, content: bytes) -> None:
    with writing_to(path):
        path.write_bytes(content)
