"""How the runs of a row were trained: their start, rate, schedule and length."""

from __future__ import annotations

from collections.abc import Iterable

from harness.ledger.record import RunRecord
from reports import format as f
from reports.ledger.config import UNREADABLE
from reports.ledger.context import ReportContext
from reports.ledger.results import Result
from reports.tables.settings import settings, started_from, trained_runs
from reports.tables.table import Cell, Column, missing


def row_start(context: ReportContext, results: Iterable[Result | None]) -> str:
    """What the finished runs of a row started from; "" where none was asked to have starting weights."""
    asked = context.benchmark.init.get(context.profile) == "pretrained"
    if not asked and not context.ledger.asked_for_weights:
        return ""
    done = [r for result in results if result is not None for r in result.done]
    found = dict.fromkeys(_start(run) for r in done for run in trained_runs(r, context.ledger.records))
    return f"start: {' or '.join(found)}" if found else ""


def training_column() -> Column:
    """The column of ``training_cell``."""
    return Column(
        "training",
        "Training",
        paper=False,
        explain=(
            "optimiser and learning rate of the row's own stage; below them schedule, epochs and starting weights: "
            "rows with the same words had the same budget"
        ),
    )


def training_cell(result: Result | None) -> Cell:
    """Rate, schedule, epochs and start of a row, as the configs of its finished runs have them."""
    done = result.done if result is not None else []
    said = list(dict.fromkeys(_training(record) for record in done))
    if not said:
        return missing(f.DASH, "no run of it is done")
    return Cell(" or ".join(dict.fromkeys(s[0] for s in said)), sub=" or ".join(s[1] for s in said))


def _start(record: RunRecord) -> str:
    return started_from(record).removeprefix("none: ")


def _training(record: RunRecord) -> tuple[str, str]:
    config = record.identity.config
    if not config.get("train_cfg"):
        return "not trained", "made of networks that other rows train"
    facts = {name: cell.text for name, cell in settings(config).items()}
    epochs = f"{facts['epochs']} epoch{'s' * (facts['epochs'] != '1')}"
    if facts["epochs"] == UNREADABLE:
        epochs = f"epochs {UNREADABLE}"
    return facts["optimiser"], f"{facts['schedule']}, {epochs}; start: {_start(record)}"
