"""The log file of one invocation: ``WORK_DIR/logs/<utc time>-<process id>.log``, of which the newest are kept."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from pathlib import Path

from harness.ledger.run_dir import LOGS

KEPT = 20
OWN = re.compile(r"\d{8}T\d{6}Z-\d+\.log")  # whatever else lies there is somebody's


def start(work_dir: Path) -> tuple[Path, logging.Handler]:
    """A new log file in a work dir, and the handler that writes to it. The oldest ones go.

    Raises:
        OSError: it cannot be written.
    """
    folder = Path(work_dir) / LOGS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.log"
    handler = _LogFile(path, encoding="utf-8")
    form = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler.setFormatter(form)
    for old in sorted(p for p in folder.iterdir() if OWN.fullmatch(p.name) and p.is_file())[:-KEPT]:
        old.unlink(missing_ok=True)
    return path, handler


class _LogFile(logging.FileHandler):
    """A file that is given up, with a line, once it cannot be written: a full disk must not end the run by its log."""

    given_up = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self.given_up:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self.given_up = True
        print(f"{self.baseFilename}: no longer written: {error.strerror}", file=sys.stderr)  # noqa: T201  logging has failed
