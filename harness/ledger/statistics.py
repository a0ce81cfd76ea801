"""Statistics of data sets, kept beside a ledger: each has a seal, which tells that it was edited by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.ledger.files import read_file
from harness.ledger.judge import unreadable
from harness.ledger.record import seal_of_content
from harness.ledger.run_dir import STATISTICS

LARGEST = 256 << 20  # bytes
EDITED = "edited since it was measured, and not shown; `run-all` with its data measures it anew"


def read_statistics(work_dir: Path) -> bytes:
    """The file's content. Raises FileNotFoundError, OSError or ValueError."""
    return read_file(Path(work_dir) / STATISTICS, LARGEST)


def with_seal(about: Mapping[str, Any]) -> dict[str, Any]:
    """Statistics of a data set, as they are to be written."""
    return {**about, "seal": seal_of_content(about)}


def is_edited(about: object) -> bool:
    """Whether statistics of a data set, as they stand in the file, are not what was measured. None of an older harness
    is: it had no seal.
    """
    return isinstance(about, dict) and "seal" in about and about["seal"] != seal_of_content(about)


def unread(error: Exception, reason: object) -> str:
    """Why the file cannot be read, and what to do."""
    if isinstance(error, OSError) and unreadable(error):
        return f"cannot be read ({reason}); change its permissions, or see to its disk"
    return f"cannot be read ({reason}); `run-all` with the data measures it anew"


def problems(work_dir: Path) -> list[str]:
    """What is wrong with the file, one line each."""
    try:
        found = json.loads(read_statistics(work_dir))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as e:
        return [unread(e, getattr(e, "strerror", None) or e)]
    if not isinstance(found, dict):
        return ["is no object of data sets; `run-all` with the data measures it anew"]
    return [f"{name}: {EDITED}" for name, about in found.items() if is_edited(about)]
