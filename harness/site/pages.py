"""The pages of ledgers, written where they do not show already what these hold."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.describe.summary import load_summaries, save_summaries
from harness.site import freshness
from harness.suite import Benchmark, Entry

if TYPE_CHECKING:  # `report` plans nothing
    from harness.plan.workspace import Workspace
    from reports.ledger.running import Running

log = logging.getLogger(__name__)


def write_site(
    work_dirs: Sequence[Path],
    site: Path,
    benchmark: Benchmark,
    entries: dict[str, Entry],
    profiles: Sequence[str] = (),
    running: Running | None = None,
) -> Path:
    """Write the pages of ledgers, with the statistics of the data sets that these keep. Returns the index page."""
    from reports import build

    statistics = {name: about for w in reversed(work_dirs) for name, about in load_summaries(w, log.warning).items()}
    build(work_dirs, site, benchmark, entries, statistics, profiles, running)
    return site / "index.html"


def refresh_site(ws: Workspace, work_dir: Path, site: Path) -> bool:
    """Measure the data sets and write the pages of a workspace; returns whether there was anything to write."""
    save_summaries(work_dir, ws.settings.data_root, ws.settings.quarantine, log.warning)
    made_from = freshness.sources(work_dir, ws.settings.configs)
    if freshness.are_current(work_dir, site, made_from):
        return False
    write_site([work_dir], site, ws.benchmark, ws.entries)
    freshness.remember(work_dir, site, made_from)
    return True
