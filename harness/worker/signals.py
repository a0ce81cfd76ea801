"""How a job's process is asked to stop, and what its exit code says."""

from __future__ import annotations

import signal
import threading

EXIT_STOPPED = 3  # stopped on request at the last checkpoint; no record
EXIT_DISK_FULL = 4  # the same for a full disk
EXIT_PEER_LOST = 5  # one of several processes that train a job lost another one
EXIT_LOCK_LOST = 6  # another harness took the job over; nothing more was written
DISK_FULL_LINE = "disk full:"  # begins the line of the log that says what is needed
STARTED_LINE = "started as attempt "  # so the log begins that of each job that may run

STOP = threading.Event()  # this process was asked to stop


class Stopped(Exception):
    """The job was asked to stop; its last checkpoint stays."""


def listen() -> None:
    """SIGTERM stops the job at once. SIGINT is ignored: Ctrl-C reaches the whole terminal, the harness decides."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def stop_between_steps() -> None:
    """From now on SIGTERM sets ``STOP`` alone, which the training looks at after each step."""
    signal.signal(signal.SIGTERM, lambda *_: STOP.set())


def _stop(*_: object) -> None:
    STOP.set()
    raise Stopped
