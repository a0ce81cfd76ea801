"""SIGINT, SIGTERM and a terminal that is gone as a request to stop, which the harness grants when its jobs have stopped
at their checkpoints."""

from __future__ import annotations

import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """The first of ``SIGNALS`` is a request to stop; a second one is an interrupt as usual. One that is ignored, as
    ``nohup`` has it, stays so."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> StopRequest:
        heard = [s for s in SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
        self._old = {s: signal.signal(s, self._ask) for s in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for s, handler in self._old.items():
            signal.signal(s, handler)

    def _ask(self, *_: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
