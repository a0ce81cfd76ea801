"""Cells of claimed values: what a paper printed, with its source."""

from __future__ import annotations

from harness.suite.benchmark import Benchmark, Claim
from reports import format as f
from reports.tables.table import CLAIMED, Cell, missing


def claimed(claim: Claim | None, benchmark: Benchmark, listed: bool = True) -> Cell:
    """A claimed value with its source. ``listed``: the paper's table has this row at all."""
    if claim is None or (claim.value is None and not listed):
        return missing(f.DASH, "not in the paper's table", CLAIMED)
    if claim.value is None:
        return missing("lost", "the paper's table has this row, but its value is lost", CLAIMED)
    source = benchmark.sources.get(claim.source)
    return Cell(
        text=f.printed(claim.value),
        value=claim.value,
        origin=CLAIMED,
        href=source.url if source else "",
        title=f"printed in: {source.title}" if source else "no source given",
    )


def corrected(claim: Claim | None, benchmark: Benchmark) -> Cell:
    """What a method's own paper says where the source of the claim differs from it."""
    if claim is None or claim.corrected is None:
        return missing("", "no correction known", CLAIMED)
    source = benchmark.sources.get(claim.corrected_source)
    return Cell(
        text=f.printed(claim.corrected),
        value=claim.corrected,
        origin=CLAIMED,
        href=source.url if source else "",
        title=f"reported in: {source.title}" if source else "",
    )
