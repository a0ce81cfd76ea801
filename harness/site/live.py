"""Pages that are rewritten while jobs run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

from harness.errors import one_line
from harness.system.slow import said_if_slow

if TYPE_CHECKING:
    from reports.ledger.running import Running

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0  # the pages are rewritten no more often than this
SHARE = 0.05  # of one core's time that writing may take


class LivePages:
    """Writes the pages before the first job, and again when something has changed, in a thread of its own.

    Whatever goes wrong with pages is one line, and ends no run. Where the jobs end with an error, the pages are written
    a last time: they say that something runs only while it does.

    Args:
        write: writes the pages, given what is running; None: nothing is.
    """

    def __init__(self, write: Callable[[Running | None], Any]) -> None:
        self._write = write
        self._thread: Thread | None = None
        self._due = 0.0
        self._shown: Any = None
        self._cost = 0.0  # seconds of processor time of the last writing
        self._said: set[str] = set()

    def __enter__(self) -> LivePages:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._thread is not None:
            with said_if_slow(log.info, "finishing the pages that are being written"):
                self._thread.join()
        if self._shown is not None and isinstance(error, Exception):
            self._try(None)

    def show(self, done: int, failed: int, running: tuple[str, ...], to_come: tuple[str, ...]) -> None:
        """Say where the jobs stand: names of those that run and of those still to be started. The first call returns
        when the pages are there, all others at once.
        """
        now = (done, failed, running)
        if now == self._shown or time.monotonic() < self._due or (self._thread is not None and self._thread.is_alive()):
            return
        first, self._shown = self._shown is None, now
        began = time.monotonic()
        self._due = began + self.pause
        self._thread = Thread(target=self._job, args=(done, failed, running, to_come, began), name="pages")
        self._thread.start()
        if first:
            with said_if_slow(log.info, "writing the first pages"):
                self._thread.join()

    @property
    def pause(self) -> float:
        """Seconds from one writing to the next."""
        return max(EVERY_SECONDS, self._cost / SHARE)

    def _job(self, done: int, failed: int, running: tuple[str, ...], to_come: tuple[str, ...], began: float) -> None:
        from reports.ledger.running import Running

        used = time.thread_time()
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        self._try(Running(done, failed, running, to_come, at, round(self.pause)))
        self._cost = time.thread_time() - used
        self._due = began + self.pause

    def _try(self, running: Running | None) -> None:
        try:
            self._write(running)
        except Exception as e:  # noqa: BLE001  whatever it is: the run goes on
            if (line := one_line(e)) not in self._said:
                self._said.add(line)
                log.warning("pages not rewritten: %s", line)
