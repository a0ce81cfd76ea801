"""How far a command is: one line that counts on a terminal, else a log record now and then."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TextIO

import click

from harness.cli import console
from harness.system.duration import left

log = logging.getLogger(__name__)

WIPE = "\x1b[K"  # the rest of a line on a terminal: what stood there may have been longer
EVERY_S = 10.0  # between lines where there is no terminal


def counter(terminal: TextIO | None = None) -> Callable[[str, int, int], None]:
    """A function of what is counted, how many are done, and how many there are.

    Args:
        terminal: where the line that counts is written, standard error by default.
    """
    stream = terminal or sys.stderr
    began: dict[str, tuple[float, int]] = {}  # when it was first told of, and how many were done by then
    last = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        since, before = began.setdefault(what, (now, done))
        more = left(now - since, done - before, total - before)
        if stream.isatty():
            if not console.is_quiet():
                click.echo(f"\r{WIPE}{done} of {total} {what}{more}", nl=done == total, file=stream)
        elif done == total or now - last > EVERY_S:
            last = now
            log.info("%d of %d %s%s", done, total, what, more)

    return show
