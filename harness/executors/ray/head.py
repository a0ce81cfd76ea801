"""Whether the head of a cluster still answers. Ray itself ends a process that has lost it, without a line of ours."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import EXIT_ENGINE_LOST, EngineLost

CHECK_S = 5.0  # between two looks at it
ANSWER_S = 3.0  # for it to take a connection
LOST_S = 30.0  # without an answer: it is lost
OWN_PATIENCE = ("RAY_gcs_rpc_server_reconnect_timeout_s", "600")  # of Ray, 60 by default; then it ends this process

log = logging.getLogger(__name__)


def outlast_it() -> None:
    """Let Ray, which is still to connect this process, leave it to this module to say that the head is lost."""
    os.environ.setdefault(*OWN_PATIENCE)


class Head:
    """The head of a cluster, as this process sees it.

    Args:
        address: HOST:PORT.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._looked = time.monotonic()
        self._away_since: float | None = None

    def check(self) -> None:
        """Raise EngineLost where the head has not answered for ``LOST_S``; it is asked every ``CHECK_S`` at most."""
        now = time.monotonic()
        if now - self._looked >= CHECK_S:
            self._looked = now
            self._away_since = None if _answers(self.address) else self._away_since or now
        if self._away_since is not None and now - self._away_since >= LOST_S:
            raise EngineLost(
                f"--backend ray: the head {self.address} has not answered for {LOST_S:.0f} s; nothing is lost: start "
                "Ray again where it is down, and run the same command, which goes on"
            )

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Ray is asked something, and waits for a head that is lost: then a thread says so and ends this process.

        Raises:
            EngineLost: it is lost already.
        """
        self.check()
        over = threading.Event()
        threading.Thread(target=self._end_with_it, args=(over,), daemon=True, name="head").start()
        try:
            yield
        finally:
            over.set()

    def _end_with_it(self, over: threading.Event) -> None:
        head = Head(self.address)
        while not over.wait(CHECK_S):
            try:
                head.check()
            except EngineLost as e:
                if not over.is_set():
                    log.error("error: %s", e)
                    os._exit(EXIT_ENGINE_LOST)  # as by a kill, which loses nothing: Ray holds the main thread


def connect_to(address: str, timeout: float) -> None:
    """Raise OSError, or OverflowError for a port that is none, where nothing takes connections at HOST:PORT."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), timeout).close()


def _answers(address: str) -> bool:
    try:
        connect_to(address, ANSWER_S)
    except OSError:
        return False
    return True
