"""Entries that are the same run: all that counts of them is equal, whatever they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.fingerprint.code import code_fingerprint, imported_modules
from harness.ledger.identity import canonical_json, identity_config
from harness.plan.config_file import named_config
from harness.plan.resolve import resolve
from harness.suite import Entry
from harness.suite.dotted import set_dotted

Known = dict[tuple[Path, str, str], str]  # config, profile, overrides -> signature


def twins(entry: Entry, entries: Iterable[Entry], profile: str, known: Known | None = None) -> list[str]:
    """Names of the other entries that would have this one's key at a profile, on whatever data.

    An entry that cannot be read is nobody's twin.

    Args:
        known: what earlier calls found, as long as no file changes in between.
    """
    known = {} if known is None else known
    own = _signature(entry.config.resolve(), profile, {}, known)
    found = []
    for other in entries:
        if (other.dataset, other.stage) == (entry.dataset, entry.stage) and other.name != entry.name:
            try:
                same = _signature(other.config.resolve(), profile, {}, known) == own
            except (ValueError, OSError):
                same = False
            if same:
                found.append(other.name)
    return found


def _signature(path: Path, profile: str, overrides: dict[str, Any], known: Known) -> str:
    """sha256 of what a run's key is made of, but for the data and the seed: config, code,
    and the same of the stages.
    """
    asked = path, profile, canonical_json(overrides)
    if asked not in known:
        known[asked] = _made(path, profile, overrides, known)
    return known[asked]


def _made(path: Path, profile: str, overrides: dict[str, Any], known: Known) -> str:
    resolved = resolve(path, profile, overrides)
    config: dict[str, Any] = resolved.config
    stages = {}
    for stage, declared in resolved.parents.items():
        inject_at = [declared["inject_at"]] if isinstance(declared["inject_at"], str) else declared["inject_at"]
        for key in inject_at:
            config = set_dotted(config, key, None)
        parent = named_config(path, declared["config"]).resolve()
        stages[stage] = [_signature(parent, profile, declared.get("overrides") or {}, known), declared.get("seed")]
    counted = identity_config(config, profile), code_fingerprint(config, imported_modules(config)), stages
    return hashlib.sha256(canonical_json(counted).encode()).hexdigest()
