"""The code that a job runs, held against the code that its key names."""

from __future__ import annotations

from collections.abc import Iterable

from harness.ledger.record import Identity
from harness.plan.code import index_package

index_package("mtcd_plugin")  # as it is when the fork server imports it: later edits do not reach its jobs


def check_code(identities: Iterable[Identity]) -> None:
    """Raise ValueError where a module is another one than at planning: the run would stand under a key not its own."""
    for identity in identities:
        for module, planned in identity.code.items():
            found = index_package(module.split(".")[0]).get(module)
            if found is None or found.sha256 != planned:
                raise ValueError(
                    f"{module} changed between planning and running; run the same command again to plan anew"
                )
