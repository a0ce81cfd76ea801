"""How far a command is: one line that counts on a terminal, a line now and then in a pipe or a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

EVERY_S = 10.0  # between lines where there is no terminal


def counter(stream=None) -> Callable[[str, int, int], None]:
    """A function of what is counted, how many are done, and how many there are.

    Args:
        stream: where it writes, standard error by default.
    """
    stream = stream or sys.stderr
    began: dict[str, float] = {}
    last = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        passed = now - began.setdefault(what, now)
        left = f", {passed / done * (total - done):.0f} s left" if 0 < done < total else ""
        if stream.isatty():
            click.echo(f"\r{done} of {total} {what}{left}".ljust(60), nl=done == total, file=stream)
        elif done == total or now - last > EVERY_S:
            last = now
            click.echo(f"{done} of {total} {what}{left}", file=stream)

    return show
