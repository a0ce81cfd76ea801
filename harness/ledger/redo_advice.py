"""The command that makes a run anew, from its own files: what is advised where one of them is damaged."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

from harness.ledger.files import read_file
from harness.ledger.run_dir import CHECKPOINT, PREDICTIONS, RECORD, SPEC

LARGEST = 64 << 20  # bytes
QUOTED = r"'(?:[^'\n]|'\"'\"')*'"  # a text as ``quoted`` writes it, in which a shell obeys nothing
VALUE = rf"(?:[\w.,+@:][\w.,=+@:-]*|{QUOTED})"
OPTION = (
    rf"--(?:profile|seeds|tables|init|gpus-per-job|precision|cell|rates|loss-weights|epochs|rate) {VALUE}"
    r"|--(?:data-root|configs) DIR|--quarantine [\w.-]+=FILE|--compile|--force"
)
COMMAND = rf"python -m harness (?:run|models (?:rates|pretrain)(?: {VALUE})*)(?: (?:{OPTION}))*"  # all that we write


def quoted(text: str) -> str:
    """A text as one word of a shell, in quotes whatever it is."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def redo_advice(folder: Path) -> str:
    """What makes a run anew, to follow what is wrong with it: the command that its record has, or its job where that
    cannot be read, with the work dir that it lies in. Where this user may not read one of its files, that comes first.
    """
    for name in ("", RECORD, SPEC, PREDICTIONS, CHECKPOINT):
        path = Path(folder) / name
        needed = os.R_OK if name else os.R_OK | os.X_OK
        if os.path.exists(path) and not os.access(path, needed):  # Path.exists raises where it may not look
            return f"this user may not read {path}: change its permissions first"
    command = _command_of(folder)
    if not command:
        return "`run` with the options that it was made with makes it anew"
    work_dir = Path(folder).parent.parent
    where = "" if work_dir == Path("work_dirs") else f" --work-dir {shlex.quote(str(work_dir))}"
    return f"`{command}{where}` makes it anew"


def _command_of(folder: Path) -> str:
    """ "" where neither file has one that the harness would write: those of a ledger may be of somebody else, and an
    edited one could publish, or import what it names.
    """
    for name in (RECORD, SPEC):
        try:
            found = json.loads(read_file(Path(folder) / name, LARGEST))
        except (OSError, ValueError, RecursionError):
            continue
        command = found.get("command") if isinstance(found, dict) else None
        if isinstance(command, str) and command.isprintable() and re.fullmatch(COMMAND, command):
            return command
    return ""
