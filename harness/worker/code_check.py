"""The code that a job runs, held against the code that its key names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from harness.fingerprint.code import changed
from harness.fingerprint.packages import INSTALLED, PLUGIN
from harness.fingerprint.source import sha_now
from harness.ledger.record import Identity

IMPORTED = {PLUGIN: sha_now(PLUGIN)}  # as it is when it is imported: later edits do not reach this process


def check_code(identities: Iterable[Identity], sources: Mapping[str, str] = MappingProxyType({})) -> None:
    """Raise ValueError where a definition is another one than at planning:
    the run would stand under a key not its own.

    Args:
        sources: sha256 of the source files of the packages that they are in, as they were at planning. Where these are
            still the same, so is every definition, and none is parsed.
    """
    same = bool(sources) and all((IMPORTED.get(p) or sha_now(p)) == sha for p, sha in sources.items())
    for identity in identities:
        code = {n: sha for n, sha in identity.code.items() if n.endswith(INSTALLED)} if same else identity.code
        if name := changed(code):
            raise ValueError(f"{name} changed between planning and running; run the same command again to plan anew")
