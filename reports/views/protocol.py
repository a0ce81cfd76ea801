"""The protocol page: what the paper prescribes, and what the runs really used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from harness.ledger.record import NO_START, RunRecord
from reports import format as f
from reports.ledger.context import Board
from reports.ledger.results import Result
from reports.tables.table import Cell, Column, Link, Row, Table, missing

PAPER = (
    ("Frames", "32 per clip, uniformly in time"),
    ("Frame size", "resized to 256 × 256"),
    ("Crop", "224 × 224, random in training, centre in test"),
    ("Batch size", "32"),
    ("Epochs", "80"),
    ("Optimiser", "SGD, learning rate 0.0001"),
    ("Schedule", "× 0.1 after 20 epochs"),
    ("Loss weights", "alpha 0.9, beta 0.3"),
)


def used_protocol(board: Board) -> Table:
    """What the runs used, read from their resolved configs; configs with the same settings share a row."""
    columns = (
        Column("stage", "Stage"),
        Column("frames", "Frames", numeric=True),
        Column("size", "Size"),
        Column("crop", "Crop"),
        Column("batch", "Batch", numeric=True),
        Column("epochs", "Epochs", numeric=True),
        Column("optimiser", "Optimiser"),
        Column("schedule", "Schedule"),
        Column("weights", "Pretrained weights"),
        Column("models", "Configs"),
    )
    found: dict[tuple, tuple[dict[str, Cell], dict[str, str]]] = {}
    for record in board.ledger.shown_records:
        page = board.ledger.pages[record.key]
        cells = {
            "stage": Cell(record.cell.stage),
            **_facts(record.identity.config),
            "weights": Cell(started_from(record)),
        }
        _, models = found.setdefault(tuple(c.text for c in cells.values()), (cells, {}))
        models.setdefault(record.cell.model, page)
    rows = [
        Row(
            str(i),
            cells
            | {"models": Cell(f.count(len(models), "config"), links=tuple(Link(m, p) for m, p in models.items()))},
        )
        for i, (cells, models) in enumerate(found.values())
    ]
    return Table(
        "protocol",
        "What the runs used",
        "Read from the resolved configs of the runs on these pages.",
        columns,
        tuple(rows),
    )


def started_from(record: RunRecord) -> str:
    """The weights that a run started from: name and content of each file, once."""
    files = {w.sha256: f"{w.file.rpartition('/')[2]} ({w.sha256[:12]})" for w in record.pretrained}
    return ", ".join(files.values()) or "none: from scratch"


def row_start(board: Board, results: Iterable[Result | None]) -> str:
    """What the finished runs of a row started from; "" where none was asked to have starting weights."""
    asked = board.benchmark.init.get(board.profile) == "pretrained"
    if not asked and not any(r.pretrained or NO_START in r.notes for r in board.ledger.shown_records):
        return ""
    found = dict.fromkeys(started_from(r) for result in results if result is not None for r in result.done)
    return f"start: {' or '.join(found)}" if found else ""


def training_column() -> Column:
    """The column of ``training_cell``."""
    return Column(
        "training",
        "Training",
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


def _training(record: RunRecord) -> tuple[str, str]:
    config = record.identity.config
    if not config.get("train_cfg"):
        return "not trained", "made of networks that other rows train"
    facts = {name: cell.text for name, cell in _facts(config).items()}
    return facts["optimiser"], f"{facts['schedule']}, {facts['epochs']} epochs; start: {started_from(record)}"


def _facts(config: dict[str, Any]) -> dict[str, Cell]:
    train = config.get("train_dataloader") or config.get("test_dataloader") or {}
    sample, load = _find(train, "SampleClipFrames"), _find(train, "LoadModalities")
    crop = _find(train, "RandomCrop") or _find(config.get("test_dataloader") or {}, "CenterCrop")
    wrapper = config.get("optim_wrapper") or {}
    optimiser = wrapper.get("optimizer") or {}
    loop = config.get("train_cfg") or {}
    schedule = config.get("param_scheduler") or []
    return {
        "frames": _number(sample.get("clip_len")),
        "size": _text(_size(load.get("size"))),
        "crop": _text(_size(crop.get("size") or crop.get("crop_size"))),
        "batch": _number(train.get("batch_size")),
        "epochs": _number(loop.get("max_epochs")),
        "optimiser": _text(f"{optimiser.get('type')}, {optimiser.get('lr'):g}" if optimiser.get("lr") else ""),
        "schedule": _text(", then ".join(_step(s) for s in (schedule if isinstance(schedule, list) else [schedule]))),
    }


def _find(node: Any, kind: str) -> dict[str, Any]:
    """The first dict of this ``type`` anywhere below; empty if there is none."""
    return next((d for d in _walk(node) if d.get("type") == kind), {})


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _walk(value)


def _step(step: dict[str, Any]) -> str:
    kind = str(step.get("type", ""))
    if kind == "MultiStepLR":
        at = ", ".join(str(m) for m in step.get("milestones", []))
        return f"× {step.get('gamma', 0.1):g} at epoch {at}"
    return kind


def _size(value: Any) -> str:
    if value is None:
        return ""
    pair = value if isinstance(value, (list, tuple)) else (value, value)
    return "\u00a0×\u00a0".join(str(v) for v in pair)


def _text(text: str) -> Cell:
    return Cell(text) if text else missing(f.DASH, "not in the config")


def _number(value: Any) -> Cell:
    return Cell(f"{value:g}", value) if isinstance(value, (int, float)) else missing(f.DASH, "not in the config")
