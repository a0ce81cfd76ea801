"""All results as one tidy table, a row for each run and metric: CSV and Parquet, which programs read as they come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.suite.cells import cell_id
from reports.ledger.context import ReportContext
from reports.ledger.numbers import METRICS, numbers
from reports.page import File
from reports.tables.export import APOSTROPHES, csv_text, csvw
from reports.tables.settings import start_kind
from reports.views.runs.run import RunView

AT_ONCE = 1000  # runs
STAGES = "train_seconds_all_stages"
COLUMNS = {
    "run": "name of its folder in the ledger",
    "cell": "model entry, with its variant behind a +",
    "tables": "tables and figures that ask for it, with a ; between",
    "method": "",
    "stage": "single, or what it is for others",
    "dataset": "key of benchmark.yml",
    "test_modality": "what it predicts from",
    "train_modalities": "what it trains on, with a + between",
    "seed": "",
    "protocol": "common, or the method's own",
    "start": "pretrained, stages (weights that its own stages trained), scratch, or nothing where nothing is trained",
    "profile": "",
    "status": "done or failed",
    "state": "current, or why no number of the pages is made of it",
    "metric": "with its unit",
    "value": "nothing where the run failed",
    "interval_low": "of the 95 % interval, in the unit of the metric",
    "interval_high": "of the 95 % interval, in the unit of the metric",
    "test_clips": "that the metric was counted on",
    "synthetic": "whether it or a stage of it saw synthetic data",
    "synthetic_data": "which",
    "adopted": "whether it or a stage of it was declared equivalent instead of running anew",
    "key": "sha256 of what the run is made of",
    "commit": "of the harness",
    "date": "when it ended, UTC",
}


def results_files(context: ReportContext, runs: Sequence[RunView]) -> dict[str, File]:
    """``results.csv``, its description, and ``results.parquet``, by their places in the site."""
    about = json.dumps(_metadata(context, results(context, runs[:1])), indent=1, ensure_ascii=False) + "\n"
    return {
        "downloads/results.csv": lambda path: _write_csv(context, runs, path),
        "downloads/results.csv-metadata.json": about,
        "downloads/results.parquet": lambda path: _write_parquet(context, runs, about, path),
    }


def _parts(context: ReportContext, runs: Sequence[RunView]) -> Iterator[pd.DataFrame]:
    """``results`` of so many runs that they need little memory; at least one part."""
    for start in range(0, max(1, len(runs)), AT_ONCE):
        yield results(context, runs[start : start + AT_ONCE])


def _write_csv(context: ReportContext, runs: Sequence[RunView], path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        for number, frame in enumerate(_parts(context, runs)):
            for name in frame.select_dtypes(include=["object", "string"]):
                frame[name] = frame[name].map(csv_text, na_action="ignore")
            frame.to_csv(file, index=False, lineterminator="\n", header=number == 0)


def _write_parquet(context: ReportContext, runs: Sequence[RunView], about: str, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = _parts(context, runs)
    first = pa.Table.from_pandas(next(parts), preserve_index=False).replace_schema_metadata({"description": about})
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for frame in parts:
            writer.write_table(
                pa.Table.from_pandas(frame, schema=first.schema, preserve_index=False).cast(first.schema)
            )


def results(context: ReportContext, runs: Sequence[RunView]) -> pd.DataFrame:
    """One row per run and metric, with ``COLUMNS``; a run that failed has one row without a value."""
    rows = [tuple(map(row.get, COLUMNS)) for run in runs for row in _rows(context, run)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = {"seed": "int64", "test_clips": "Int64", "synthetic": "bool", "adopted": "bool"}
    kinds |= dict.fromkeys(("value", "interval_low", "interval_high"), "float64")
    return frame.astype(kinds)


def _rows(context: ReportContext, run: RunView) -> Iterator[dict[str, Any]]:
    r, p = run.record, run.scored
    about = {
        "run": run.name,
        "cell": cell_id(r.cell.model, r.cell.variant),
        "tables": ";".join(run.used_by),
        "method": r.cell.method,
        "stage": r.cell.stage,
        "dataset": r.cell.dataset,
        "test_modality": r.cell.test_modality,
        "train_modalities": "+".join(r.cell.train_modalities),
        "seed": r.cell.seed,
        "protocol": context.protocol(r.cell.model),
        "start": "" if r.kind == "render" else start_kind(r),
        "profile": r.cell.profile,
        "status": r.status,
        "state": run.state or "current",
        "synthetic": bool(run.synthetic),
        "synthetic_data": ";".join(run.synthetic or ()),
        "adopted": bool(run.adopted),
        "key": r.key,
        "commit": r.commit,
        "date": r.finished,
    }
    if r.status != "done":
        yield about | {"metric": "top1_percent"}
        return
    found = numbers(r)
    if run.parents and run.train_seconds is not None:
        found[STAGES] = run.train_seconds
    for metric, value in found.items():
        low, high = (p.interval if p is not None and metric == "top1_percent" else None) or (None, None)
        yield about | {
            "metric": metric,
            "value": value,
            "interval_low": None if low is None else 100 * low,
            "interval_high": None if high is None else 100 * high,
            "test_clips": p.clips if p is not None and metric.endswith("_percent") else None,
        }


def _metadata(context: ReportContext, frame: pd.DataFrame) -> dict[str, Any]:
    kinds = {"i": "integer", "f": "number", "b": "boolean"}
    columns = [
        {"titles": name, "datatype": kinds.get(frame[name].dtype.kind, "string")}
        | ({"dc:description": text} if text else {})
        for name, text in COLUMNS.items()
    ]
    metrics = [f"{name}: {text}" for name, text in METRICS.items()] + [f"{STAGES}: its own and that of every stage"]
    return csvw("results.csv", "All results", [*context.header(), *metrics, APOSTROPHES], columns)
