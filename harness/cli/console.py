"""What the harness says beside results: log records, as lines on standard error and in the log file of a run.

The progress of jobs goes to standard output, since it is what ``run`` prints. Whatever a command was asked for is
printed with ``click.echo`` and is no log record.
"""

from __future__ import annotations

import errno
import logging
import sys
import time
import traceback
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any

import click

from harness.errors import BadUsage
from harness.ledger import log_file

PACKAGES = ("harness", "reports", "mtcd_plugin")
PROGRESS = "harness.schedule.progress"
FILE_ONLY = {"file_only": True}  # ``extra`` of a record that was said in another way already
COLOURS = {logging.DEBUG: "bright_black", logging.WARNING: "yellow", logging.ERROR: "red"}  # on a terminal


class Console(logging.Handler):
    """Log records as lines: plain ones, coloured by their level on a terminal.

    In its context the records of ``PACKAGES`` come here, and are kept for a log file.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.asked: set[str] = set()
        self.kept = MemoryHandler(10_000, flushLevel=logging.CRITICAL + 1, flushOnClose=False)
        self.file: Path | None = None

    def ask(self, option: str) -> None:
        """Take one of ``verbose``, ``quiet`` and ``debug`` into account. Raises BadUsage for the first two together."""
        self.asked.add(option)
        if {"verbose", "quiet"} <= self.asked:
            raise BadUsage("-v and -q: give one of them")
        self.setLevel({"verbose": logging.DEBUG, "quiet": logging.WARNING}.get(option, self.level))

    @property
    def debug(self) -> bool:
        return "debug" in self.asked

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "file_only", False):
            return
        line = record.getMessage()
        if record.name == PROGRESS:
            say(f"{time.strftime('%H:%M:%S')}  {line}", fg=COLOURS.get(record.levelno))
        else:
            say(line, err=True, fg=COLOURS.get(record.levelno))

    def to_file(self, work_dir: Path) -> None:
        """Write all records, those from before as well, to a new file in a work dir."""
        if self.file is None:
            self.file, handler = log_file.start(work_dir)
            self.kept.setTarget(handler)
            self.kept.flush()
            self.kept.capacity = 0  # from now on each at once

    def __enter__(self) -> Console:
        for name in PACKAGES:
            logger = logging.getLogger(name)
            logger.setLevel(logging.DEBUG)
            logger.addHandler(self)
            logger.addHandler(self.kept)
        return self

    def __exit__(self, *_: Any) -> None:
        for name in PACKAGES:
            logger = logging.getLogger(name)
            logger.setLevel(logging.NOTSET)
            logger.removeHandler(self)
            logger.removeHandler(self.kept)
        if self.kept.target is not None:
            self.kept.target.close()
        self.kept.close()


def say(line: str, err: bool = False, fg: str | None = None) -> None:
    """Print a line on standard output or standard error.

    Raises:
        OSError: one line that names the output. It has no number: the disk below it may be another than the work dir's.
    """
    try:
        # named, since click would write past what draws on the terminal and puts these lines above it
        click.secho(line, file=sys.stderr if err else sys.stdout, fg=fg)
        return
    except OSError as e:
        if e.errno == errno.EPIPE:  # whoever read has enough, which click knows
            raise
        reason = e.strerror
    raise OSError(f"standard {'error' if err else 'output'}: {reason}")  # outside: a context would tell the number


def failed_output(e: BaseException) -> str:
    """One line that names the output, where an error is that of ``click.echo``, which has a number alone; else ""."""
    *_, (frame, _) = traceback.walk_tb(e.__traceback__)
    if not isinstance(e, OSError) or frame.f_code is not click.echo.__code__:
        return ""
    is_error = frame.f_locals["err"] or frame.f_locals["file"] is sys.stderr
    return f"standard {'error' if is_error else 'output'}: {e.strerror}"


def is_quiet() -> bool:
    """Whether the command that is running was asked to say less."""
    found = current()
    return found is not None and "quiet" in found.asked


def current() -> Console | None:
    """The console of the command that is running, None where the harness is used as a library."""
    ctx = click.get_current_context(silent=True)
    return ctx.obj if ctx is not None and isinstance(ctx.obj, Console) else None
