"""The benchmark's tables, each in the layout that it declares."""

from __future__ import annotations

from harness.suite import benchmark as suite
from reports.ledger.context import ReportContext
from reports.tables.by_modality import by_modality
from reports.tables.by_points import by_points
from reports.tables.by_rows import by_rows
from reports.tables.by_training import by_training
from reports.tables.table import Table

LAYOUTS = {"by_modality": by_modality, "by_training": by_training, "rows": by_rows, "points": by_points}


def build_table(context: ReportContext, table: suite.Table) -> Table:
    """A table of the benchmark in its layout."""
    return LAYOUTS[table.layout](context, table)
