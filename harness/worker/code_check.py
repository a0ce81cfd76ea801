"""The code that a job runs, held against the code that its key names."""

from __future__ import annotations

from collections.abc import Iterable

from harness.fingerprint.code import changed
from harness.fingerprint.packages import PLUGIN
from harness.fingerprint.source import index_package
from harness.ledger.record import Identity

index_package(PLUGIN)  # as it is when the fork server imports it: later edits do not reach its jobs


def check_code(identities: Iterable[Identity]) -> None:
    """Raise ValueError where a definition is another one than at planning:
    the run would stand under a key not its own.
    """
    for identity in identities:
        if name := changed(identity.code):
            raise ValueError(f"{name} changed between planning and running; run the same command again to plan anew")
