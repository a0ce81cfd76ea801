"""Files that a node of a cluster has written, as another machine sees them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from harness.ledger.run_dir import RECORD

VISIBLE_S = 90.0  # until what a node has written is seen here: network file systems cache what is not there


def record_is_shown(run_dir: Path | None, since: float) -> bool:
    """Whether the record of a job that ended well is seen here, or has been waited for long enough.

    Args:
        run_dir: None for a job of another harness, whose record is not looked for.
        since: when it was looked for first, on the monotonic clock.
    """
    if run_dir is None:
        return True
    os.listdir(run_dir)  # makes network file systems look anew
    return (run_dir / RECORD).exists() or time.monotonic() - since > VISIBLE_S
