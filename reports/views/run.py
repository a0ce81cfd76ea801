"""The list of all runs, and the page of one."""

from __future__ import annotations

from harness.ledger.record import StartingWeights
from reports import format as f
from reports.site.render import Page
from reports.stats import statistics as st
from reports.tables.export import APOSTROPHES
from reports.tables.table import Bar, Cell, Column, Row, Table
from reports.views.run_view import RunView

OLD = "older config, code or data"


def runs_table(runs: list[RunView]) -> Table:
    """All runs that have a page."""
    columns = (
        Column("run", "Run"),
        Column("stage", "Stage"),
        Column("state", "State"),
        Column("train", "Training"),
        Column("test", "Inference"),
        Column("seed", "Seed", numeric=True, ascending=True),
        Column("synthetic", "Synthetic data, stages included", page=False),
        Column("top1", "Measured top-1 (%)", origin="measured", numeric=True),
        Column("time", "Total time", origin="measured", numeric=True, ascending=True),
        Column(
            "memory",
            "Peak memory",
            origin="measured",
            numeric=True,
            ascending=True,
            detail=True,
            toggle="Cost",
        ),
        Column(
            "params",
            "Parameters",
            origin="measured",
            numeric=True,
            ascending=True,
            detail=True,
            toggle="Cost",
        ),
        Column(
            "waiting",
            "Waiting for data (%)",
            origin="measured",
            numeric=True,
            ascending=True,
            detail=True,
            toggle="Cost",
        ),
    )
    rows = []
    for view in runs:
        r = view.record
        clips = view.predictions.clips if view.predictions else 0
        top1 = (
            Cell(
                f.percent(r.metrics.top1, f.percent_digits(clips)),
                100 * r.metrics.top1,
                origin="measured",
                bar=Bar(r.metrics.top1, *view.predictions.interval),
            )
            if r.metrics and view.predictions
            else Cell(
                f.DASH,
                state="missing",
                origin="measured",
                title="failed" if r.status == "failed" else "predicts no class",
            )
        )
        name = f"{r.cell.model}+{r.cell.variant}" if r.cell.variant else r.cell.model
        share = r.cost.data_time_share
        rows.append(
            Row(
                view.name,
                {
                    "run": Cell(name, href=view.page, sub=r.key[:12]),
                    "stage": Cell(r.cell.stage),
                    "state": Cell(
                        r.status, sub=OLD if view.state else "", state="failed" if r.status == "failed" else ""
                    ),
                    "train": Cell(f.modalities(r.cell.train_modalities)),
                    "test": Cell(f.modalities(r.cell.test_modality)),
                    "seed": Cell(str(r.cell.seed), r.cell.seed),
                    "synthetic": Cell(f.names(view.synthetic)),
                    "top1": top1,
                    "time": Cell(f.seconds(r.cost.total_seconds), r.cost.total_seconds, origin="measured"),
                    "memory": Cell(f.memory(r.cost.peak_memory_bytes), r.cost.peak_memory_bytes, origin="measured"),
                    "params": Cell(f.large(r.cost.params), r.cost.params, origin="measured"),
                    "waiting": Cell(f.percent(share), None if share is None else 100 * share, origin="measured"),
                },
            )
        )
    return Table("runs", "All runs", f"Bars are 95 % intervals: {st.INTERVAL}, as on every page.", columns, tuple(rows))


def run_page(run: RunView) -> Page:
    """The page of one run."""
    r, p = run.record, run.predictions
    facts = []
    if r.metrics and p:
        digits = f.percent_digits(p.clips)
        low, high = p.interval
        provisional = ", provisional" if run.provisional else ""
        facts += [
            {
                "value": f"{f.percent(r.metrics.top1, digits)} %",
                "name": "top-1 accuracy",
                "sub": f"{p.right} of {p.clips} clips; 95 % interval {f.percent(low)} "
                f"to {f.percent(high)}{provisional}",
            },
            {
                "value": f"{f.percent(r.metrics.mean_class, digits)} %",
                "name": "mean class accuracy",
                "sub": "",
            },
            {"value": f"{f.percent(r.metrics.top5, digits)} %", "name": "top-5 accuracy", "sub": ""},
        ]
    cost = r.cost
    shape = " × ".join(map(str, cost.input_shape))
    facts += [
        {"value": value, "name": name, "sub": sub}
        for value, name, sub in (
            (f.large(cost.params), "parameters", "of the network that predicts"),
            (f"{cost.flops / 1e9:.3g}" if cost.flops is not None else f.DASH, "GFLOPs per view", shape),
            (f.seconds(cost.train_seconds), "training, this stage", _waiting(cost.data_time_share)),
            (f.seconds(run.train_seconds if run.parents else None), "training, all stages", "each stage once"),
            (f.seconds(cost.test_seconds), "testing", ""),
            (f.memory(cost.peak_memory_bytes), "peak memory", ""),
        )
        if value != f.DASH
    ]
    return Page(run.page, "run.html.j2", {"run": run, "facts": facts, "what": _what(run), "apostrophes": APOSTROPHES})


def _waiting(share: float | None) -> str:
    return "" if share is None else f"{f.percent(share, 0)} % of it waiting for data"


def _what(run: RunView) -> list[tuple[str, str]]:
    r = run.record
    what = [
        ("Method", r.cell.method),
        ("Stage", r.cell.stage),
        ("Trains on", f.modalities(r.cell.train_modalities)),
        ("Predicts from", f.modalities(r.cell.test_modality)),
    ]
    if r.data is not None:
        light = f", {r.data.lighting}" if r.data.lighting else ""
        what += [
            ("Data", f"{r.data.name}{light}{' (synthetic)' if r.data.synthetic else ''}"),
            ("Training clips", f"{r.data.train_clips}, of {f.count(len(r.data.train_subjects), 'subject')}"),
            ("Test clips", f"{r.data.test_clips}, of {f.count(len(r.data.test_subjects), 'subject')}"),
            ("Clips left out", f"list {r.data.quarantine[:12]}" if r.data.quarantine else "none"),
        ]
    what += [
        ("Synthetic data, stages included", f.names(run.synthetic)),
        *([("95 % interval", f"{st.INTERVAL}, as on every page")] if run.predictions else []),
        ("Overrides", ", ".join(f"{k} = {v}" for k, v in sorted(r.cell.overrides.items())) or "none"),
        ("Profile", r.cell.profile),
        ("Epochs", str(len(r.epochs)) if r.epochs else "none recorded"),
        *[(f"Starting weights, {w.where}", _loaded(w)) for w in r.pretrained],
        *([] if r.pretrained else [("Starting weights", "none: from scratch")]),
        ("Started", r.started or "not recorded"),
        ("Finished", r.finished or "not recorded"),
        ("Attempts", str(r.attempts)),
        ("Commit", f.short_commit(r.commit)),
    ]
    return what


def _loaded(w: StartingWeights) -> str:
    """A file of starting weights, its content, and what of it was loaded."""
    parts = [f"{w.file}, sha256 {w.sha256}"]
    if w.loaded is not None:
        parts.append(
            f"{w.loaded} of {w.total} tensors loaded, {w.backbone_loaded} of {w.backbone_total} of the backbone"
        )
    parts += [w.naming] if w.naming else []
    for what, names in (
        ("of another shape", w.adapted),
        ("left out", w.left_out),
        ("not in the file", w.missing),
        ("without a place", w.unexpected),
    ):
        if names:
            parts.append(f"{what}: {', '.join(names[:5])}{f' and {len(names) - 5} more' if len(names) > 5 else ''}")
    return "; ".join(parts)
