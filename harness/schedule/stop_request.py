"""SIGINT and SIGTERM as a request to stop, which the harness grants when its jobs have stopped at their checkpoints."""

from __future__ import annotations

import signal


class StopRequest:
    """SIGINT and SIGTERM as a request to stop; a second one is an interrupt as usual."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> StopRequest:
        self._old = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for s, handler in self._old.items():
            signal.signal(s, handler)

    def _ask(self, *_: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
