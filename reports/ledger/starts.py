"""Which runs did not start as the benchmark says of their profile: trained with another ``--init``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.ledger.ancestry import dependency_closure
from harness.ledger.record import RunRecord
from harness.suite import Entry

INIT = re.compile(r"--init (scratch|pretrained)\b")  # a record's command names it where it is not the default


def other_starts(records: Mapping[str, RunRecord], entries: Mapping[str, Entry]) -> dict[str, str]:
    """Key -> ``--init`` of the runs for which another than the profile's default was asked, where this made a
    difference to the run or to a stage that it depends on: weights were loaded, or listed weights were not."""
    listed = {(name, start.profile) for name, entry in entries.items() for start in entry.start if start.into}
    found = {}
    for key, record in records.items():
        asked = INIT.search(record.command)
        if asked is None:
            continue
        stages = [records[k] for k in (key, *dependency_closure(key, records)) if k in records]
        if any(r.pretrained if asked[1] == "pretrained" else (r.cell.model, r.cell.profile) in listed for r in stages):
            found[key] = asked[1]
    return found
