"""Pages of which there are thousands: taken over from the site that is there, or written, many by several processes."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from harness.ledger.files import writing_to
from harness.system.environment import usable_cores
from harness.system.gc_pause import gc_spared
from harness.system.pool import process_pool
from reports.ledger.context import ReportContext
from reports.page import Page
from reports.site.render import environment, render
from reports.site.unchanged import Unchanged, code_digest

Progress = Callable[[int, int], None] | None
Rows = dict[str, dict[str, str]]

# What pages written one at a time do not see of the site, so that they stay while others are run.
ELSEWHERE = (
    "cards",
    "verdicts",
    "unmeasured",
    "idle",
    "rows",
    "date",
    "data",
    "seeds",
    "commit",
    "profiles",
    "banners",
)
MANY = 2000  # pages from which on further processes write them: each takes a second to start, a page some milliseconds
MOST_PROCESSES = 4  # with what each of them needs, a large ledger still fits into 1 GiB
AT_ONCE = 100  # pages that a process is given; what their records share travels once


@dataclass(frozen=True)
class Writer:
    """Writes pages to ``out``, which has their folders. ``site``: what all of them see of it."""

    out: Path
    site: dict[str, Any]

    def write(self, pages: Sequence[tuple[Page, Rows]]) -> list[dict[str, str]]:
        """Make pages, each with the rows that lead to it. Returns the sha256 of each of their files, by path."""
        return [self._write(page, rows) for page, rows in pages]

    def _write(self, page: Page, rows: Rows) -> dict[str, str]:
        if page.later is None:
            raise ValueError(f"{page.path}: is made with the others")
        values, files = page.later()
        text = render(environment(), replace(page, values=values, files=files), {**self.site, "rows": rows})
        return {path: self._file(path, content) for path, content in {page.path: text, **files}.items()}

    def _file(self, path: str, text: str) -> str:
        content = text.encode()
        with writing_to(self.out / path):
            (self.out / path).write_bytes(content)
        return hashlib.sha256(content).hexdigest()


@contextmanager
def later_written(
    pages: Sequence[Page],
    context: ReportContext,
    site: dict[str, Any],
    out: Path,
    unchanged: Unchanged,
    progress: Progress = None,
) -> Iterator[None]:
    """A context that, before it ends, writes the pages that are made one at a time, and takes over those that are made
    from the same as before. Where other processes write them, these begin at once.

    Raises:
        ValueError: a run was made anew meanwhile, or a process that wrote pages was killed.
    """
    shared = {name: value for name, value in site.items() if name not in ELSEWHERE} | {"running": None}
    common = hashlib.sha256(f"{code_digest()} {shared!r} {context.ledger.privacy.said}".encode())
    place = out.relative_to(unchanged.new)
    new: list[tuple[Page, Rows]] = []
    digests: list[str] = []
    total = sum(page.later is not None for page in pages)
    for page in (p for p in pages if p.later is not None):
        own = {page.path: site["rows"].get(page.path, {})}
        said = page.made_from() if page.made_from else ""
        digest = _continued(common, f" {own!r} {said}") if said else ""
        if not (digest and unchanged.take((place / page.path).as_posix(), digest)):
            new.append((replace(page, made_from=None), own))
            digests.append(digest)
    if progress and total > len(new):
        progress(total - len(new), total)
    for folder in {page.path.rpartition("/")[0] for page, _ in new}:
        (out / folder).mkdir(parents=True, exist_ok=True)
    processes = 1 if context.running or len(new) < MANY else min(usable_cores(), MOST_PROCESSES)  # jobs need the others
    # each page leaves little garbage, and a large ledger stays until all are written
    with gc_spared(), _written(Writer(out, shared), new, processes) as written:
        yield
        for done, ((page, _), digest, hashes) in enumerate(
            zip(new, digests, written, strict=True), total - len(new) + 1
        ):
            found = {(place / path).as_posix(): sha256 for path, sha256 in hashes.items()}
            unchanged.note((place / page.path).as_posix(), digest, found)
            if progress:
                progress(done, total)


def _continued(begun: hashlib._Hash, text: str) -> str:
    """Hex digest of what was hashed and more text."""
    digest = begun.copy()
    digest.update(text.encode())
    return digest.hexdigest()


@contextmanager
def _written(writer: Writer, pages: Sequence[tuple[Page, Rows]], processes: int) -> Iterator[Iterable[dict[str, str]]]:
    """The hashes of each page, in their order. One process writes a page when its hashes are asked for; several write
    from now on."""
    if processes == 1:
        yield chain.from_iterable(writer.write([page]) for page in pages)
        return
    parts = [pages[i : i + AT_ONCE] for i in range(0, len(pages), AT_ONCE)]
    with process_pool(processes, partial(_start, writer)) as pool:
        try:
            yield chain.from_iterable(pool.map(_write_part, parts))
        except BrokenProcessPool:
            raise ValueError(
                f"{writer.out}: a process that wrote pages of runs was killed, perhaps for want of memory; report again"
            ) from None


_writer: Writer | None = None  # of a process of the pool


def _start(writer: Writer) -> None:
    global _writer
    _writer = writer
    gc.disable()  # a page leaves little garbage: it is looked for after each part
    gc.freeze()


def _write_part(pages: Sequence[tuple[Page, Rows]]) -> list[dict[str, str]]:
    if _writer is None:
        raise RuntimeError("a process of the pool was not started by _start")
    try:
        return _writer.write(pages)
    finally:
        gc.collect()
