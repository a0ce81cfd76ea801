"""The code that a job runs, held against the code that its key names."""

from __future__ import annotations

from collections.abc import Iterable

from harness.fingerprint.code import PLUGIN, sha_of
from harness.fingerprint.source import index_package
from harness.ledger.record import NOT_TRACKED, Identity

index_package(PLUGIN)  # as it is when the fork server imports it: later edits do not reach its jobs


def check_code(identities: Iterable[Identity]) -> None:
    """Raise ValueError where a module is another one than at planning: the run would stand under a key not its own."""
    for identity in identities:
        for module, planned in identity.code.items():
            if planned != NOT_TRACKED and sha_of(module) != planned:
                raise ValueError(
                    f"{module} changed between planning and running; run the same command again to plan anew"
                )
