"""The log of a run as pages show it: its end, without what stays on the machine."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from harness.ledger.files import NotAFile, open_file
from harness.ledger.run_dir import LOG
from reports.ledger.privacy import Privacy

MOST = 256 << 10  # bytes of a log that go into the site, from its end
TAIL = 30  # lines of it on the page


@dataclass(frozen=True)
class Log:
    """``text``: what the site has of a log; ``cut``: bytes before it that it has not."""

    text: str
    cut: int

    @property
    def tail(self) -> str:
        return "\n".join(line.rstrip() for line in self.text.splitlines()[-TAIL:])


def log_digest(folder: Path) -> str:
    """sha256 hex of what ``read_log`` reads; "" where there is nothing to read."""
    found = _end_of_log(folder)
    return hashlib.sha256(f"{found[1]} ".encode() + found[0]).hexdigest() if found is not None else ""


def read_log(folder: Path, own: Privacy) -> Log | None:
    """The log of a run's folder; None where there is none that can be read."""
    found = _end_of_log(folder)
    if found is None:
        return None
    raw, cut = found
    lines = [own.text(line.rpartition("\r")[2]) for line in raw.decode("utf-8", "replace").split("\n")]
    return Log("\n".join(lines), cut) if any(lines) else None


def _end_of_log(folder: Path) -> tuple[bytes, int] | None:
    """The last bytes of a log, and how many stand before them."""
    if (folder / LOG).is_symlink():  # what lies elsewhere is none of the run's
        return None
    try:
        with open_file(folder / LOG) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(cut := max(0, size - MOST))
            return file.read(MOST), cut
    except (OSError, NotAFile):
        return None
