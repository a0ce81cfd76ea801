"""Exit when the parent process dies, whatever ended it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable


def on_parent_exit(act: Callable[[], None]) -> None:
    """Call ``act`` in a thread once the process that started this one by ``multiprocessing`` is gone.

    The parent's process id does not tell: a job is the child of the fork server, which lives as long as its jobs do.
    Without such a parent nothing happens.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        act()

    threading.Thread(target=watch, daemon=True).start()


def exit_with_parent() -> None:
    """Initializer of a pool's processes: without it they wait for work for ever when their parent was killed."""
    on_parent_exit(lambda: os._exit(1))
