"""One process at a time that builds stores or makes a synthetic set, and whether such a set is made to its end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.data.names import is_synthetic_root
from harness.ledger.lock import RunLock, kept_alive

MAKING = ".making"  # folder of the locks, beside the sets
DESCRIBED = "dataset.json"  # a set has it from the first time on that it was made to its end
UNFINISHED = ".unfinished.json"  # in its place before that
WAIT_S = 0.2


@contextmanager
def locked(folder: Path, wait_line: Callable[[], None] = lambda: None) -> Iterator[RunLock]:
    """One process at a time, by a lock in a folder; another waits, having said so. A killed process's claim is void."""
    lock = RunLock(folder)
    try:
        if not lock.acquire():
            wait_line()
            while not lock.acquire():
                time.sleep(WAIT_S)
    except OSError as error:
        from harness.data.store.space import as_disk_full  # slow to import

        raise as_disk_full(error, lock.folder) from error
    try:
        with kept_alive(lambda: [lock]):
            yield lock
    finally:
        lock.release()


def lock_of_set(root: str | os.PathLike[str]) -> Path:
    """The folder of the lock of who makes a synthetic set; beside it, since the set holds its own files alone."""
    place = Path(root).absolute()
    return place.parent / MAKING / place.name


def maker(root: str | os.PathLike[str]) -> str:
    """Which process makes a synthetic set, in words; "" where none does."""
    return str(RunLock(lock_of_set(root)).holder() or "")


def maker_beside(root: str | os.PathLike[str]) -> str:
    """Which process makes any set in the same folder, in words; "" where none does."""
    folder = lock_of_set(root).parent
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    return next(filter(None, (str(RunLock(folder / name).holder() or "") for name in names)), "")


def check_made_to_end(root: str | os.PathLike[str]) -> None:
    """FileNotFoundError, with what to do, where a synthetic set was begun and not made to its end, and where nothing
    says any more that it is synthetic."""
    place = Path(root)
    if (place / DESCRIBED).exists():
        return
    if not (place / UNFINISHED).exists():
        if is_synthetic_root(place.parent) and place.is_dir() and any(place.iterdir()):
            raise FileNotFoundError(
                f"{place}: its {DESCRIBED} is gone, without which synthetic clips would count as real ones; delete "
                "this folder, and run-all without --data-root makes the set anew"
            )
        return
    if who := maker(root):
        raise FileNotFoundError(f"{root}: {who} is making it; run the same command again when that is done")
    raise FileNotFoundError(
        f"{root}: it was not made to its end; run-all without --data-root goes on with it, as does the same `data "
        "synthesize` again"
    )
