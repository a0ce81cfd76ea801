"""The log of a run as pages show it: its end, without what stays on the machine."""

from __future__ import annotations

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


def read_log(folder: Path, own: Privacy) -> Log | None:
    """The log of a run's folder; None where there is none that can be read."""
    if (folder / LOG).is_symlink():  # what lies elsewhere is none of the run's
        return None
    try:
        with open_file(folder / LOG) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(cut := max(0, size - MOST))
            raw = file.read(MOST)
    except (OSError, NotAFile):
        return None
    lines = [own.text(line.rpartition("\r")[2]) for line in raw.decode("utf-8", "replace").split("\n")]
    return Log("\n".join(lines), cut) if any(lines) else None
