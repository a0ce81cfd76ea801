"""Statistics of the data at hand, as far as they are of the clips that the runs of these pages read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.ledger.ledger import Ledger

OTHERS = "last measured on other clips than these runs read; run-all at this profile measures them"


def of_runs(statistics: Mapping[str, dict[str, Any]], ledger: Ledger) -> dict[str, dict[str, Any]]:
    """The statistics by data set; a ``problem`` in their place where they are of other clips: of synthetic ones, which
    differ from profile to profile, at another profile, or of synthetic ones for real ones and the other way round.
    """
    kinds: dict[str, set[bool]] = {}
    for r in ledger.shown_records:
        if r.data is not None:
            kinds.setdefault(r.cell.dataset, set()).add(r.data.synthetic)
    found = {}
    for name, about in statistics.items():
        made = bool(about.get("synthetic"))
        elsewhere = made and about.get("profile", "") not in ("", ledger.profile)
        other_kind = "synthetic" in about and made not in kinds.get(name, {made})
        found[name] = {"problem": OTHERS} if elsewhere or other_kind else about
    return found
