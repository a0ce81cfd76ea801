"""The clip stores that jobs read."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from harness.data.store.cache import build_for_datasets
from harness.plan.jobs import Job
from harness.plan.loaders import dataset_configs

log = logging.getLogger(__name__)


def build_stores(jobs: Mapping[str, Job], store: Path, processes: int) -> None:
    """Decode once what these jobs will read many times.

    Where a clip cannot be decoded, they read the videos themselves.
    """
    if not jobs:
        return
    datasets = [d for job in jobs.values() for d in dataset_configs(job.config).values()]
    try:
        build_for_datasets(datasets, store, processes, log.info)
    except ValueError as e:
        log.warning("no clip store: %s; the jobs that need it read the videos", e)
