"""The names of every file and folder of a run, and of those of a work dir itself."""

from __future__ import annotations

from pathlib import Path

SPEC = "job.json"  # what the worker is told
LOCK = "lock"  # claims on the folder (harness.ledger.lock)
LOG = "log.txt"
PROGRESS = "progress.json"  # where a running job stands
SUBMITTED = ".submitted.json"  # where it was submitted, while it runs
SCRATCH = "mm"  # MMEngine's work dir while the job runs
POINTS = "points"  # predictions of runs that train side by side, while they do
PASSING = (SCRATCH, POINTS)  # what a job needs until its record is written
RESUME = Path(SCRATCH) / "last.pth"  # the state after the last epoch
PREVIOUS = Path(SCRATCH) / "previous.pth"  # and after the one before
CHECKPOINT = "checkpoint.pth"
PREDICTIONS = "predictions.parquet"
STORE = "store"  # clips that a rendering writes
STRIPS = "strips"  # pictures of them for the pages
RENDERED = (STORE, STRIPS)
RECORD = "run.json"  # written last: its presence means that the run is over

PLAN = "plan.json"
PAGES = "pages.json"  # what the pages were made from, and what they were when made
STATISTICS = "data_statistics.json"
VERDICTS = "verdicts.json"  # which records were found valid, by content
RUNS = "runs"
LOGS = "logs"  # of harnesses, not of runs
CLIP_PICTURES = "clip_pictures"  # of test clips, for the pages of runs
