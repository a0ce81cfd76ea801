"""Two ledgers held against each other, bit for bit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.ledger.files import sha256_of
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import LOCK, LOGS, STORE
from harness.ledger.store import load_predictions, load_records


@dataclass(frozen=True)
class LedgerDiff:
    """``unequal``: one line per run that both have; ``missing``: runs that only one of them has,
    or that were rejected.
    """

    equal: int
    unequal: list[str]
    missing: list[str]


def compare_ledgers(first: Path, second: Path) -> LedgerDiff:
    """Keys, states, metrics, predictions, weights, renderings and losses of two work dirs."""
    ours, bad = load_records(first)
    theirs, also_bad = load_records(second)
    missing = [f"{r.path.name}: {r.reason}" for r in (*bad, *also_bad)]
    missing += [(ours.get(k) or theirs[k])[0].name for k in sorted(ours.keys() ^ theirs.keys())]
    unequal = []
    both = sorted(ours.keys() & theirs.keys())
    for key in both:
        what = differing(*ours[key], *theirs[key])
        if what:
            unequal.append(f"{theirs[key][0].name}: {', '.join(what)}")
    return LedgerDiff(len(both) - len(unequal), unequal, missing)


def differing(a_folder: Path, a: RunRecord, b_folder: Path, b: RunRecord) -> list[str]:
    """Names of what two records of one key do not have in common."""
    found = []
    for name in ("status", "metrics", "measurements", "checkpoint_sha256", "store_sha256", "cell", "identity", "data"):
        if getattr(a, name) != getattr(b, name):
            found.append(name)
    if [(e.epoch, e.loss, e.losses) for e in a.epochs] != [(e.epoch, e.loss, e.losses) for e in b.epochs]:
        found.append("losses")
    if bool(a.predictions_sha256) != bool(b.predictions_sha256) or (
        a.predictions_sha256 and predictions(a_folder) != predictions(b_folder)
    ):
        found.append("predictions")
    if rendering(a_folder) != rendering(b_folder):
        found.append("rendering")
    return found


def predictions(folder: Path) -> list[tuple[str, str, int, bytes]]:
    """Every prediction with the bits of its scores."""
    table = load_predictions(folder)
    return [(row.clip_id, row.subject, int(row.label), row.scores.tobytes()) for row in table.itertuples(index=False)]


def rendering(folder: Path) -> dict[str, str]:
    """sha256 of the files that a rendering wrote, {} for a training."""
    root = folder / STORE
    return {str(p.relative_to(root)): sha256_of(p) for p in sorted(root.rglob("*")) if p.is_file()}


def files_of(folder: Path) -> set[str]:
    """Files and folders below a folder, hidden ones included, without the numbered claims of locks and the
    log files of harnesses; links are followed.
    """
    found = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name not in (LOCK, LOGS)]
        found |= {os.path.relpath(os.path.join(place, name), folder) for name in (*folders, *files)}
    return found
