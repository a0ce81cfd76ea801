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
ANSWER_S = 3.0  # for it to answer
LOST_S = 30.0  # without an answer: it is lost
CONNECT_S = 120.0  # for Ray to connect, on a busy machine; to what is no head it tries for ever
# What a client of HTTP/2, and so of gRPC, says first (RFC 9113, 3.4), with settings that change nothing; the answer
# begins with a frame of settings: three bytes of length, one of its type, five more.
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
FRAME_BYTES, SETTINGS = 9, b"\4"
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


@contextmanager
def bounded(address: str) -> Iterator[None]:
    """Ray connects this process to a cluster, and may wait for ever: then a thread says so and ends this process."""
    over = threading.Event()

    def end() -> None:
        if not over.wait(CONNECT_S):
            log.error(
                "error: --ray address=%s: Ray could not connect within %.0f s, and does not say why; see whether its "
                "head is well there (`ray status`), and run the same command again",
                *(address, CONNECT_S),
            )
            os._exit(EXIT_ENGINE_LOST)

    threading.Thread(target=end, daemon=True, name="connect").start()
    try:
        yield
    finally:
        over.set()


def greet(address: str, timeout: float) -> None:
    """Greet the head of a cluster as its clients do, in HTTP/2; with Ray's TLS, connect to it alone.

    Raises:
        OSError: nothing takes connections at HOST:PORT, or what does has no such answer within so many seconds.
        OverflowError: the port is none.
    """
    host, _, port = address.rpartition(":")
    until = time.monotonic() + timeout
    with socket.create_connection((host.strip("[]"), int(port)), timeout) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
            return
        connection.sendall(GREETING)
        answer = b""
        while len(answer) < FRAME_BYTES:
            connection.settimeout(max(0.01, until - time.monotonic()))
            try:
                more = connection.recv(FRAME_BYTES - len(answer))
            except TimeoutError:
                raise TimeoutError("it takes connections, and does not answer as a head of Ray does") from None
            if not more:
                break
            answer += more
    if answer[3:4] != SETTINGS:
        raise ConnectionError("what listens there is no head of Ray")


def _answers(address: str) -> bool:
    try:
        greet(address, ANSWER_S)
    except OSError:
        return False
    return True
