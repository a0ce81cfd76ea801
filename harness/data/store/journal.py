"""The journal of a clip store that is being built: a line of JSON per finished clip, with its entry of the index."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from harness.ledger.files import write_text_atomically

JOURNAL = "done.jsonl"


def read_journal(folder: Path) -> dict[str, dict]:
    """Entries of the index by clip id; lines that a kill or a full disk cut short do not count."""
    found = {}
    try:
        text = (folder / JOURNAL).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    for line in text.splitlines():
        try:
            row = json.loads(line)
            found[row.pop("clip_id")] = row
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
            continue
    return found


def add_to_journal(folder: Path, clip_id: str, entry: dict) -> None:
    """Add a line in one write. It begins with a line break: a truncated line does not corrupt the next.

    OSError ENOSPC where the disk is full."""
    data = f"\n{json.dumps({'clip_id': clip_id, **entry})}\n".encode()
    file = os.open(folder / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        if os.write(file, data) != len(data):
            raise OSError(errno.ENOSPC, "the journal's line was cut short")
    finally:
        os.close(file)


def rewrite_journal(folder: Path, entries: dict[str, dict]) -> None:
    lines = [json.dumps({"clip_id": clip_id, **entry}) + "\n" for clip_id, entry in entries.items()]
    write_text_atomically(folder / JOURNAL, "".join(lines))
