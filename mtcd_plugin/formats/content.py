"""Content hashes of files (BLAKE3), cached: a file is read once for each state that it is in.

The hashes are kept in ``$XDG_CACHE_HOME/mgr-dark-benchmark/content.sqlite`` (``~/.cache/...`` by default), never
beside the files. A file counts as unchanged while its path, inode, size, time of modification and time of
status change are. The last one (ctime) cannot be set: who writes to a file and restores the others is found out.
File systems without a true ctime (some network shares) do not tell: ``data verify`` reads every file anew.
A file that changed in the last ``SETTLED_S`` seconds is not kept, since a second change might leave its times equal.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import islice
from pathlib import Path

from blake3 import blake3

from mtcd_plugin.formats.regular import regular_stat

log = logging.getLogger(__name__)

SETTLED_S = 2.0
BLOCK_BYTES = 2**20
MOST_THREADS = 8
FIRST_LINE_S, EVERY_S = 2.0, 5.0  # of progress
KEPT_EVERY_S = 10.0  # what was read goes into the cache, so that a kill loses little
WAIT_S = 30.0  # for another process that writes to the cache

_known: dict[str, tuple[str, str]] = {}  # path -> state, hash; what this process has looked up


def content_hashes(
    paths: Iterable[str], missing_ok: bool = False, say: Callable[[str], None] | None = None
) -> dict[str, str]:
    """Path -> hash of the file's content, 64 hexadecimal digits.

    Args:
        missing_ok: '' for a file that cannot be read, instead of an error.
        say: gets a line of progress every few seconds; by default they are logged.

    Raises:
        OSError: a file cannot be read, is no regular file, or changes while it is read.
    """
    states, found = _states(paths, missing_ok)
    unknown = [path for path, state in states.items() if _known.get(path, ("",))[0] != state]
    if unknown:
        _known.update(_look_up(unknown))
    todo = []
    for path, state in states.items():
        known, digest = _known.get(path, ("", ""))
        if known == state:
            found[path] = digest
        else:
            todo.append(path)
    return found | _read_all(todo, missing_ok, say or log.info)


def content_of(path: str | os.PathLike) -> str:
    """``content_hashes`` of one file."""
    return content_hashes([os.fspath(path)])[os.fspath(path)]


def renew_content(paths: Iterable[str], say: Callable[[str], None] | None = None) -> list[str]:
    """Read every file, whatever the cache says. Returns those with other content than the cache has for their state:
    files that changed although size, times and inode did not. Files that cannot be read are left out.
    """
    states, _ = _states(paths, missing_ok=True)
    before = _look_up(list(states))
    found = _read_all(list(states), True, say or log.info)
    return [
        path for path, (state, digest) in before.items() if state == states[path] and found[path] not in ("", digest)
    ]


def cache_file() -> Path:
    """Where the hashes are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base).absolute() / "mgr-dark-benchmark" / "content.sqlite"


def _states(paths: Iterable[str], missing_ok: bool) -> tuple[dict[str, str], dict[str, str]]:
    """(path -> state, path -> '' for those that cannot be read)"""
    states, missing = {}, {}
    for path in paths:
        try:
            states[path] = _state(regular_stat(path))
        except OSError:
            if not missing_ok:
                raise
            missing[path] = ""
    return states, missing


def _state(stat: os.stat_result) -> str:
    return f"{stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _read_all(paths: list[str], missing_ok: bool, say: Callable[[str], None]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not paths:
        return found
    kept: dict[str, tuple[str, str]] = {}
    progress = _Progress(len(paths), say)
    written = time.monotonic()
    for path, result in _side_by_side(paths):
        if isinstance(result, OSError):
            if not missing_ok:
                _keep(kept)
                raise result
            found[path] = ""
            continue
        state, found[path], settled = result
        progress.add(int(state.split()[1]))
        if settled:
            kept[path] = state, found[path]
        if time.monotonic() - written > KEPT_EVERY_S:
            _keep(kept)
            kept, written = {}, time.monotonic()
    _keep(kept)
    return found


def _side_by_side(paths: list[str]) -> Iterator[tuple[str, tuple[str, str, bool] | OSError]]:
    """Read and hash files in threads, as fast as the disk gives them (hashing releases the GIL)."""
    queue = iter(paths)
    with ThreadPoolExecutor(min(MOST_THREADS, len(paths))) as pool:
        running = {pool.submit(_read, path): path for path in islice(queue, 4 * MOST_THREADS)}
        try:
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    path = running.pop(future)
                    if (following := next(queue, None)) is not None:
                        running[pool.submit(_read, following)] = following
                    yield path, future.exception() if isinstance(future.exception(), OSError) else future.result()  # type: ignore[misc]  # asked twice
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _read(path: str) -> tuple[str, str, bool]:
    """State and hash of a file, and whether it may be kept. OSError where it changes meanwhile."""
    settled_before = time.time_ns() - int(SETTLED_S * 1e9)
    digest = blake3()
    block = bytearray(BLOCK_BYTES)
    view = memoryview(block)
    with open(path, "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        while size := file.readinto(block):
            digest.update(view[:size])
        after = os.fstat(file.fileno())
    if _state(before) != _state(after):
        raise OSError(f"{path}: changed while it was read; run the same command again")
    return _state(after), digest.hexdigest(), after.st_ctime_ns < settled_before


class _Progress:
    """Progress of reading as lines, once it takes a while."""

    def __init__(self, files: int, say: Callable[[str], None]) -> None:
        self.files, self.write = files, say
        self.done, self.bytes = 0, 0
        self.began, self.begun = time.monotonic(), False
        self.next = self.began + FIRST_LINE_S

    def add(self, size: int) -> None:
        self.done, self.bytes = self.done + 1, self.bytes + size
        now = time.monotonic()
        if now < self.next and not (self.begun and self.done == self.files):
            return
        self.next, self.begun = now + EVERY_S, True
        spent = now - self.began
        left = f", about {spent / self.done * (self.files - self.done):.0f} s left" if self.done < self.files else ""
        self.write(
            f"content of files (read once): {self.done:,} of {self.files:,}, {self.bytes / 2**30:.1f} GiB at "
            f"{self.bytes / 2**20 / spent:.0f} MiB/s{left}"
        )


def _look_up(paths: list[str]) -> dict[str, tuple[str, str]]:
    """What the cache holds of these files, whatever state they were in."""
    if not paths or not cache_file().exists():
        return {}
    keys = {_key(path): path for path in paths}
    try:
        with closing(sqlite3.connect(f"{cache_file().as_uri()}?mode=ro", uri=True, timeout=WAIT_S)) as cache:
            query = "SELECT path, state, hash FROM content WHERE path BETWEEN ? AND ?"
            rows = cache.execute(query, (min(keys), max(keys))).fetchall()
    except sqlite3.Error as error:
        _warn_unusable(error)
        return {}
    return {keys[key]: (state, digest) for key, state, digest in rows if key in keys}


def _keep(entries: dict[str, tuple[str, str]]) -> None:
    _known.update(entries)
    if not entries:
        return
    try:
        cache_file().parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(cache_file(), timeout=WAIT_S)) as cache, cache:
            cache.execute(
                "CREATE TABLE IF NOT EXISTS content (path BLOB PRIMARY KEY, state TEXT NOT NULL, hash TEXT NOT NULL) "
                "WITHOUT ROWID"
            )
            rows = [(_key(path), state, digest) for path, (state, digest) in entries.items()]
            cache.executemany("INSERT OR REPLACE INTO content VALUES (?, ?, ?)", rows)
    except (sqlite3.Error, OSError) as error:
        _warn_unusable(error)


def _key(path: str) -> bytes:
    return os.fsencode(path if os.path.isabs(path) else os.path.abspath(path))


_warned: set[str] = set()


def _warn_unusable(error: Exception) -> None:
    """Warn once: without the cache every command reads all files."""
    text = f"{cache_file()}: cannot be used ({error}); every command reads all data files. "
    if text not in _warned:
        _warned.add(text)
        log.warning(text + "Remove it if it is damaged, or set XDG_CACHE_HOME to a folder that can be written")
