"""The lock of a run's folder: which processes run a job, so that harnesses that share a work dir never do one twice.

Claims lie in ``lock/`` in the run's folder, one folder ``<number>/`` with a ``claim.json`` each.

1. The claim with the highest number counts. Its number is the fencing token: whoever holds a lower one has lost.
2. A claim is made whole in a hidden folder and renamed to the number after the highest. Renaming a folder onto one that
   is not empty fails on every file system, with or without hard links and ``flock``, so one process makes it. It holds
   the lock if, on looking again, its number is still the highest; otherwise it withdraws (it had looked too long ago).
3. Nothing is ever taken away from a holder. A void claim is succeeded, not removed; release renames ``claim.json``
   within its folder (which a full disk allows), so that numbers only grow; the holder alone removes lower ones, which
   no longer count.
4. A claim is void when it was released, or cannot be read. On the machine (boot) and in the process namespace that it
   was made in, it is void when its processes are gone; the start of a process tells it from a later one of the same id.
   From anywhere else (another host, another container on this one) it is void when it was not refreshed for
   ``STALE_S`` by the file system's own clock and did not change for ``WATCH_S`` before the eyes of who wants
   it: a clock that was set or a machine that slept voids nothing.
5. A worker joins the claim of the harness that submitted it. Each submission has a token; a lock below the claim,
   made by the same rules, lets one process join under it. The worker refreshes both: on another host than the harness's
   nobody sees its process, and a claim counts as long as the worker's lock below it does.
6. Whoever writes under a claim checks right before the rename that it still counts (``check``). A machine that sleeps
   between that check and the rename (two system calls), until another one has taken over, is the one gap that is left.

Libraries that were looked at: flufl.lock (breaking a lock removes whatever lies at its path by then, needs hard links
and equal clocks), filelock (no claim can be handed to another process, no fencing, Python 3.11), fasteners and
portalocker (``flock``, or no owner at all).
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from harness.ledger.files import NotAFile, kind_of, read_file, refuse_link, write_text_atomically
from harness.ledger.run_dir import LOCK
from harness.system.process import is_alive, start_time, this_machine

CLAIM = "claim.json"
RELEASED = "released.json"
LARGEST_CLAIM = 1 << 20  # bytes
STALE_S = 120.0
WATCH_S = 30.0
REFRESH_S = 10.0


class LockLost(OSError):
    """The folder was taken over while this process slept or could not reach the file system; it must write nothing."""


@dataclass(frozen=True)
class Claim:
    """``processes``: (id, start) of those that hold it. ``token`` tells two claims of one number."""

    host: str
    boot: str
    pid_namespace: str
    processes: tuple[tuple[int, float], ...]
    token: str

    def __str__(self) -> str:
        pids = [str(pid) for pid, _ in self.processes]
        return f"process{'es' if len(pids) > 1 else ''} {' and '.join(pids)} on {self.host}"

    def made_here(self) -> bool:
        """Whether this process can see the claim's processes."""
        return (self.host, self.boot, self.pid_namespace) == this_machine()


class RunLock:
    """The lock on one folder, of a run or of clip stores, as one process sees it.

    Args:
        folder: made when it is acquired.
        number: of a claim that another process made for this one to join, 0 for none.
    """

    def __init__(self, folder: Path, number: int = 0) -> None:
        self.folder = Path(folder)
        self.number = number
        self._seen: tuple[int, int] = (0, 0)  # number and time stamp of another's claim
        self._seen_at = 0.0
        self._below: dict[str, RunLock] = {}  # locks of workers on this claim, by submission

    def acquire(self) -> bool:
        """Claim the folder for this process. False where somebody else holds it.

        Raises:
            OSError: claims cannot be made there, or are a link; one line.
        """
        refuse_link(self.folder / LOCK)
        for place in (self.folder, self.folder / LOCK):
            if (kind := kind_of(place)) not in ("", "folder"):
                raise NotADirectoryError(f"{place}: is a {kind}, where a folder belongs; move it away")
        (self.folder / LOCK).mkdir(parents=True, exist_ok=True)
        while True:
            highest = self._highest()
            if highest and self._counts(highest):
                return False
            own = highest + 1
            if not self._make(own):
                continue
            if self._highest() == own:
                self.number = own
                self._remove_older()
                return True
            shutil.rmtree(self._place(own), ignore_errors=True)

    def holder(self) -> Claim | None:
        """The claim of who holds the folder, None where nobody does."""
        highest = self._highest()
        claim = self._read(highest) if highest else None
        return claim if claim is not None and self._counts(highest, watched=False) else None

    def is_stale(self) -> bool:
        """Whether the last claim was left behind by processes that are gone."""
        return (self._place(self._highest()) / CLAIM).exists() and self.holder() is None

    def join(self, submission: str = "") -> None:
        """Let this process hold the claim too, so that it outlives the one that made it.

        A claim that was made on another machine is held by whoever refreshes it.

        Args:
            submission: token of what was submitted under the claim: one process runs it, whoever starts a second.

        Raises:
            LockLost: the claim no longer counts, or another process runs the submission.
        """
        self.check()
        if submission:
            self._start(submission)
        claim = self._read(self.number)
        if claim is None:
            raise LockLost(f"{self.folder}: its claim was taken over")
        entry = (os.getpid(), start_time(os.getpid()))
        if claim.made_here() and entry not in claim.processes:
            wider = replace(claim, processes=(*claim.processes, entry))
            write_text_atomically(self._place(self.number) / CLAIM, _to_json(wider), sync=False)

    def _start(self, submission: str) -> None:
        """A lock of its own below the claim tells the one process that runs a submission."""
        only = self._below.setdefault(submission, RunLock(self._place(self.number) / submission))
        if only.number or only.acquire():
            return
        holder = only.holder()
        if holder is None or not holder.made_here() or os.getpid() not in [pid for pid, _ in holder.processes]:
            raise LockLost(f"{self.folder}: {holder or 'another process'} runs this job already; nothing is written")

    def refresh(self) -> None:
        """Show other hosts and containers that the claim is held. Raises LockLost."""
        self.check()
        try:
            os.utime(self._place(self.number) / CLAIM)
        except FileNotFoundError:
            raise LockLost(f"{self.folder}: its claim was taken over") from None
        for lock in list(self._below.values()):
            if lock.number:
                lock.refresh()

    def check(self) -> None:
        """Raise LockLost where the claim of this process no longer counts."""
        highest = self._highest()
        if not self.number or highest != self.number:
            by = f" by {self._read(highest)}" if highest > self.number and self._read(highest) else ""
            raise LockLost(f"{self.folder}: taken over{by}; nothing more is written here")

    def release(self) -> None:
        """Give the folder back. Only this process's own claim is written to, whether it still counts or not."""
        number, self.number = self.number, 0
        if number:
            with suppress(FileNotFoundError):
                os.replace(self._place(number) / CLAIM, self._place(number) / RELEASED)

    def leave(self) -> None:
        """Say that this process, a worker under the claim, is over: from other machines nobody sees that."""
        for lock in list(self._below.values()):
            lock.release()

    def _place(self, number: int) -> Path:
        return self.folder / LOCK / str(number)

    def _highest(self) -> int:
        try:
            return max((int(n) for n in os.listdir(self.folder / LOCK) if n.isdecimal()), default=0)
        except (FileNotFoundError, NotADirectoryError):
            return 0

    def _make(self, number: int) -> bool:
        """Make the claim of a number; False where another process made it first."""
        claim = Claim(*this_machine(), ((os.getpid(), start_time(os.getpid())),), uuid.uuid4().hex)
        hidden = self.folder / LOCK / f".{claim.token}"
        hidden.mkdir()  # readable as the umask says: other users ask who holds it
        try:
            (hidden / CLAIM).write_text(_to_json(claim), encoding="utf-8")
            os.rename(hidden, self._place(number))
            return True
        except OSError as e:
            if e.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                raise
            made = self._read(number)  # a network file system that asks twice reports a failure of what was done
            return made is not None and made.token == claim.token
        finally:
            shutil.rmtree(hidden, ignore_errors=True)

    def _remove_older(self) -> None:
        for name in os.listdir(self.folder / LOCK):
            if name.startswith(".") or (name.isdecimal() and int(name) < self.number):
                shutil.rmtree(self.folder / LOCK / name, ignore_errors=True)

    def _read(self, number: int) -> Claim | None:
        """The claim of a number, None where it is gone or damaged."""
        for _ in range(5):
            try:
                said = json.loads(read_file(self._place(number) / CLAIM, LARGEST_CLAIM))
                return Claim(**{**said, "processes": tuple((int(p), float(s)) for p, s in said["processes"])})
            except (ValueError, TypeError, KeyError, RecursionError, FileNotFoundError, NotADirectoryError, NotAFile):
                return None
            except OSError as e:
                if e.errno != errno.ESTALE:  # replaced while it was read, on a network file system
                    raise
        return None

    def _counts(self, number: int, watched: bool = True) -> bool:
        """Whether a claim is held. ``watched``: a claim from elsewhere also has to be seen unchanged for a while."""
        claim = self._read(number)
        if claim is None:
            return False
        if claim.made_here():
            return any(is_alive(*process) for process in claim.processes) or self._is_worked_on(number, watched)
        try:
            refreshed = os.stat(self._place(number) / CLAIM)
        except FileNotFoundError:
            return False
        if (number, refreshed.st_mtime_ns) != self._seen:
            self._seen, self._seen_at = (number, refreshed.st_mtime_ns), time.monotonic()
        unchanged = time.monotonic() - self._seen_at
        old = self._now() - refreshed.st_mtime >= STALE_S
        return unchanged < STALE_S and not (old and (unchanged >= WATCH_S or not watched))

    def _is_worked_on(self, number: int, watched: bool) -> bool:
        """Whether a worker that cannot be seen from here runs under a claim whose own processes are gone."""
        for name in _folders(self._place(number)):
            lock = self._below.setdefault(f"{number}/{name}", RunLock(self._place(number) / name))
            highest = lock._highest()
            claim = lock._read(highest) if highest else None
            if claim is not None and not claim.made_here() and lock._counts(highest, watched):
                return True
        return False

    def _now(self) -> float:
        """The time by the file system's clock, 0 where somebody cleared away the file that was to tell it."""
        try:
            with tempfile.NamedTemporaryFile(dir=self.folder / LOCK, prefix=".") as file:
                return os.stat(file.name).st_mtime
        except FileNotFoundError:
            return 0.0
        except OSError as e:
            if e.errno not in (errno.EACCES, errno.EROFS):
                raise
            return time.time()  # who may only read takes nothing over


class Held(Protocol):
    """A lock, or what is refreshed along with one."""

    def refresh(self) -> None: ...


@contextmanager
def kept_alive(held: Callable[[], Iterable[Held]]) -> Iterator[None]:
    """Refresh locks from a thread.

    Imports, a full disk or a job that does not stop can hold up the harness for minutes.

    A lost lock is found by whoever writes next under it.
    """
    over = threading.Event()

    def refresh() -> None:
        while not over.wait(REFRESH_S):
            for lock in held():
                with suppress(LockLost, OSError):
                    lock.refresh()

    thread = threading.Thread(target=refresh, daemon=True, name="locks")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _folders(place: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(place) if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _to_json(claim: Claim) -> str:
    return json.dumps({**vars(claim), "processes": list(claim.processes)}) + "\n"
