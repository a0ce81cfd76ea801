"""All results as one tidy table, a row for each run and metric: CSV and Parquet, which programs read as they come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

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
VALUE = ("metric", "value", "interval_low", "interval_high", "test_clips")  # all rows of a run agree in the others
FIRST = list(COLUMNS).index(VALUE[0])
BEFORE, AFTER = list(COLUMNS)[:FIRST], list(COLUMNS)[FIRST + len(VALUE) :]


KINDS = {"seed": "integer", "test_clips": "integer", "synthetic": "boolean", "adopted": "boolean"}  # else a string
KINDS |= dict.fromkeys(("value", "interval_low", "interval_high"), "number")


def results_files(context: ReportContext, runs: Sequence[RunView]) -> dict[str, File]:
    """``results.csv``, its description, and ``results.parquet``, by their places in the site."""
    about = json.dumps(_metadata(context), indent=1, ensure_ascii=False) + "\n"
    return {
        "downloads/results.csv": lambda path: _write_csv(context, runs, path),
        "downloads/results.csv-metadata.json": about,
        "downloads/results.parquet": lambda path: _write_parquet(context, runs, about, path),
    }


def _write_csv(context: ReportContext, runs: Sequence[RunView], path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(_parts(context, runs, csv_text))


def _write_parquet(context: ReportContext, runs: Sequence[RunView], about: str, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv as pc  # makes tables without pandas, which PyArrow imports to make them of lists
    import pyarrow.parquet as pq

    of_kind = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    kinds = {name: of_kind[KINDS[name]] if name in KINDS else pa.large_string() for name in COLUMNS}
    schema = pa.schema(kinds.items(), metadata={"description": about})
    how = (
        pc.ReadOptions(column_names=list(COLUMNS), use_threads=False),
        pc.ParseOptions(newlines_in_values=True),
        pc.ConvertOptions(column_types=kinds, null_values=[""]),
    )
    with pq.ParquetWriter(path, schema) as writer:
        for part in _parts(context, runs):
            table = pc.read_csv(pa.BufferReader(part.encode()), *how) if part else schema.empty_table()
            writer.write_table(table.combine_chunks().replace_schema_metadata(schema.metadata))


def _parts(
    context: ReportContext, runs: Sequence[RunView], said: Callable[[str], str] = lambda text: text
) -> Iterator[str]:
    """Rows of CSV with ``COLUMNS``, one per run and metric, of so many runs that they need little memory; at least one
    part. A run that failed has one row without a value.

    Args:
        said: makes of each text what is written.
    """
    for start in range(0, max(1, len(runs)), AT_ONCE):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for run in runs[start : start + AT_ONCE]:
            about = {k: said(v) if isinstance(v, str) else v for k, v in _about(context, run).items()}
            before, after = ([about[name] for name in names] for names in (BEFORE, AFTER))
            writer.writerows([*before, said(metric), *value, *after] for metric, *value in _values(run))
        yield out.getvalue()


def _about(context: ReportContext, run: RunView) -> dict[str, Any]:
    """What all rows of a run say."""
    r = run.record
    return {
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


def _values(run: RunView) -> Iterator[tuple[str, float | None, float | None, float | None, int | None]]:
    """Of each metric of a run what ``VALUE`` names."""
    r, p = run.record, run.scored
    if r.status != "done":
        yield "top1_percent", None, None, None, None
        return
    found = numbers(r)
    if run.parents and run.train_seconds is not None:
        found[STAGES] = run.train_seconds
    for metric, value in found.items():
        low, high = (p.interval if p is not None and metric == "top1_percent" else None) or (None, None)
        yield (
            metric,
            float(value),
            None if low is None else 100 * low,
            None if high is None else 100 * high,
            p.clips if p is not None and metric.endswith("_percent") else None,
        )


def _metadata(context: ReportContext) -> dict[str, Any]:
    columns = [
        {"titles": name, "datatype": KINDS.get(name, "string")} | ({"dc:description": text} if text else {})
        for name, text in COLUMNS.items()
    ]
    metrics = [f"{name}: {text}" for name, text in METRICS.items()] + [f"{STAGES}: its own and that of every stage"]
    return csvw("results.csv", "All results", [*context.header(), *metrics, APOSTROPHES], columns)
