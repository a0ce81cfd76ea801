"""The pages of ledgers, written where they do not show already what these hold."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.describe.summary import load_summaries, save_summaries
from harness.data.registry import clips_of_config
from harness.site import freshness
from harness.suite import Benchmark, Entry
from harness.system.slow import said_if_slow

if TYPE_CHECKING:  # `report` plans nothing
    from harness.plan.workspace import Workspace
    from reports.ledger.running import Running
    from reports.site.build import Callbacks

log = logging.getLogger(__name__)


@cache
def _warn(line: str) -> None:
    """Once: pages are written again and again while jobs run."""
    log.warning("%s", line)


def write_site(
    work_dirs: Sequence[Path],
    site: Path,
    benchmark: Benchmark,
    entries: dict[str, Entry],
    profiles: Sequence[str] = (),
    running: Running | None = None,
    callbacks: Callbacks | None = None,
) -> Path:
    """Write the pages of ledgers, with the statistics of the data sets that these keep. Returns the index page.

    Args:
        callbacks: told while pages are written.
    """
    from reports.site.build import Callbacks, build

    statistics = [load_summaries(w, _warn) for w in work_dirs]
    build(work_dirs, site, benchmark, entries, statistics, profiles, running, callbacks or Callbacks())
    return site / "index.html"


def refresh_site(ws: Workspace, work_dir: Path, site: Path, progress: Callable[[int, int], None] | None = None) -> bool:
    """Measure the data sets, draw their clips and write the pages of a workspace; returns whether there was anything to
    write.

    Args:
        progress: called as progress(pages of runs done, pages of runs in all).
    """
    from harness.data.describe.clip_pictures import draw_clips  # with what decodes videos: `report` draws nothing
    from reports.site.build import Callbacks

    with said_if_slow(log.info, f"measuring the data sets in {ws.settings.data_root} for the pages"):
        settings = ws.settings
        save_summaries(work_dir, settings.data_root, settings.quarantine, _warn, settings.profile)
    made_from = freshness.sources(work_dir, ws.settings.configs)
    if freshness.are_current(work_dir, site, made_from):
        return False
    draw = partial(draw_clips, work_dir, test_sets=splits_at_hand(ws), say=log.warning)
    with said_if_slow(log.info, f"writing the pages to {site}"):
        write_site([work_dir], site, ws.benchmark, ws.entries, callbacks=Callbacks(draw, progress))
    freshness.remember(work_dir, site, made_from)
    return True


def splits_at_hand(ws: Workspace) -> Mapping[str, Mapping[str, Any]]:
    """Fingerprint of each test split of clips that is planned -> the config of its data set."""
    found = {}
    for job in ws.plan.jobs.values():
        dataset = (job.config.get("test_dataloader") or {}).get("dataset")
        if dataset and clips_of_config(dataset) is not None:
            found[job.identity.data["test"]] = dataset
    return found
