"""Claims: which process runs which job, so that harnesses that share a work dir never do one twice.

A claim is ``claim.json`` in the run's folder, made whole by a hard link (which also holds on network file systems). It
is void when its process is gone (same host) or when
it was not refreshed for two minutes by the file system's own clock (another host). A void claim is taken over by
renaming it first, which only one process can do.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

CLAIM = "claim.json"
STALE_SECONDS = 120.0


@dataclass(frozen=True)
class Claim:
    host: str
    pid: int
    started: float  # of the process, see `_start_time`, so that a reused pid is told apart

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _own(pid: int) -> str:
    return json.dumps({"host": socket.gethostname(), "pid": pid, "started": _start_time(pid)}) + "\n"


def _start_time(pid: int) -> float:
    """When a process started, 0 for one that is gone or a zombie.

    On Linux in ticks since the machine's start, which a clock that is set anew does not change; seconds elsewhere.
    """
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return 0.0 if state in "ZX" else float(rest[18])
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return 0.0
    import psutil

    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return 0.0


def take(directory: Path) -> Claim | None:
    """Claim a job's folder for this process. Returns None on success, the holder's claim where a live one holds it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / CLAIM
    own = _draft(directory)
    own.write_text(_own(os.getpid()), encoding="utf-8")
    try:
        while True:
            try:
                os.link(own, path)
                return None
            except FileExistsError:
                holder = read(directory)
                if holder is not None and alive(directory, holder):
                    return holder
            void = own.with_suffix(".void")
            try:
                os.rename(path, void)
            except FileNotFoundError:
                continue
            void.unlink()
    finally:
        own.unlink()


def _draft(directory: Path) -> Path:
    """Where this process writes a claim before it is one; the name says whose it is if the process is killed meanwhile."""
    return directory / f".{CLAIM}.{socket.gethostname()}.{os.getpid()}"


def hand_over(directory: Path, pid: int) -> None:
    """Put the job's own process into a claim that this process holds."""
    own = _draft(directory)
    own.write_text(_own(pid), encoding="utf-8")
    os.replace(own, directory / CLAIM)


def refresh(directory: Path) -> None:
    """Show other hosts that the claim is alive."""
    path = directory / CLAIM
    if path.exists():
        os.utime(path)


def is_void(directory: Path) -> bool:
    """Whether there is a claim that nobody holds any more."""
    holder = read(directory)
    return (directory / CLAIM).exists() and (holder is None or not alive(directory, holder))


def is_abandoned(path: Path) -> bool:
    """Whether a file of a process that was about to make a claim was left behind when it was killed."""
    host, _, pid = path.name.removeprefix(f".{CLAIM}.").removesuffix(".void").rpartition(".")
    return host == socket.gethostname() and pid.isdigit() and _start_time(int(pid)) == 0.0


def release(directory: Path) -> None:
    (directory / CLAIM).unlink(missing_ok=True)


def read(directory: Path) -> Claim | None:
    """The claim on a folder, None where there is none or it is damaged."""
    try:
        return Claim(**json.loads((directory / CLAIM).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def alive(directory: Path, claim: Claim) -> bool:
    if claim.host == socket.gethostname():
        return claim.started != 0.0 and abs(_start_time(claim.pid) - claim.started) < 1.0
    try:
        with tempfile.NamedTemporaryFile(
            dir=directory, prefix=".clock."
        ) as f:  # the file system's clock, not ours
            age = os.stat(f.name).st_mtime - os.stat(directory / CLAIM).st_mtime
    except FileNotFoundError:
        return False
    return age < STALE_SECONDS
