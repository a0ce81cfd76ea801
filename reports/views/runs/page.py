"""The list of all runs, and the page of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.ledger.record import RunRecord, StartingWeights
from harness.suite.modalities import DERIVED_FROM
from reports import format as f
from reports.ledger.adopted import MARK, adopted_note, reason
from reports.ledger.clip_pictures import ClipPictures
from reports.ledger.context import ReportContext
from reports.ledger.kinds import Banner, kinds_of
from reports.ledger.privacy import Privacy
from reports.page import File, Page, View
from reports.stats.intervals import INTERVAL
from reports.tables.export import APOSTROPHES
from reports.tables.settings import continued_stages
from reports.tables.table import MEASURED, Bar, Cell, Column, Row, Table, marked, missing
from reports.views.runs.hub import eval_results
from reports.views.runs.results import results_files
from reports.views.runs.run import OLDER, RunDetails, RunView, details, run_views

PER_PAGE = 200  # runs of a page of the list
NOT_TRAINED = "none: this stage trains nothing"


def build(context: ReportContext) -> Iterator[Page]:
    pictures = ClipPictures(context)
    runs = run_views(context, pictures)
    table = runs_table(runs)
    hub = eval_results(context)
    files: dict[str, File] = {**results_files(context, runs), **hub, **pictures.files}
    banner = context.clips.banner_over(kinds_of((run.record for run in runs), context.ledger.synthetic))
    yield from _lists(table, list(hub), files, banner if context.clips.tested() else context.clips.banner())
    for run in runs:
        later = partial(run_page, context.ledger.records[run.record.key][0], context.ledger.privacy, run)
        yield Page(run.page, "run.html.j2", {}, nav="", later=later, made_from=run.made_from)


def _lists(table: Table, hub: list[str], files: dict[str, File], banner: Banner) -> Iterator[Page]:
    """The list of all runs on as many pages as it takes; downloads have it in one."""
    parts = [table.rows[i : i + PER_PAGE] for i in range(0, len(table.rows), PER_PAGE)] or [()]
    paths = [f"runs-{i}.html" if i > 1 else "runs.html" for i in range(1, len(parts) + 1)]
    ends = [[rows[i].id.rpartition("-")[0] for i in (0, -1)] for rows in parts if rows]  # without the key
    pages = [(path, *names) for path, names in zip(paths, ends, strict=False)]
    for i, (path, rows) in enumerate(zip(paths, parts, strict=True)):
        shown = {"table": replace(table, rows=rows), "all": len(table.rows), "hub": hub, "pages": pages}
        shown |= {"banner": banner}
        first = {"tables": (table,), "files": files} if i == 0 else {"nav": ""}
        yield Page(path, "runs.html.j2", {**shown, "number": i + 1}, **first)


def _cost(name: str, title: str, unit: str = "") -> Column:
    return Column(name, title, MEASURED, numeric=True, ascending=True, detail=True, toggle="Cost", unit=unit)


COLUMNS = (
    Column("run", "Run"),
    Column("stage", "Stage"),
    Column("dataset", "Data set"),
    Column("state", "State"),
    Column("adopted", "Adopted", page=False, sparse=True),
    Column("adopted_from", "Adopted from", page=False, sparse=True),
    Column("train", "Training"),
    Column("test", "Inference"),
    Column("seed", "Seed", numeric=True, ascending=True, key="beside"),
    Column("synthetic", "Synthetic data, stages included", page=False),
    Column("top1", "Measured top-1 (%)", MEASURED, numeric=True, key="value"),
    Column("time", "Total time", MEASURED, numeric=True, ascending=True, unit="s"),
    Column("date", "Finished"),
    Column("commit", "Code (commit)"),
    _cost("memory", "Peak memory", unit="bytes"),
    _cost("params", "Parameters"),
    _cost("waiting", "Waiting for data (%)"),
)


def runs_table(runs: list[RunView]) -> Table:
    """All runs that have a page."""
    caption = f"Bars are 95 % intervals: {INTERVAL}, as on every page."
    kinds = {v.record.data.synthetic for v in runs if v.record.data is not None}
    rows = tuple(Row(view.name, marked(_cells(view, len(kinds) > 1), MARK * bool(view.adopted))) for view in runs)
    note = adopted_note(a for view in runs for a in view.adopted)
    return Table("runs", "All runs", caption, COLUMNS, rows, (note,) if note else (), paper=False)


def _cells(view: RunView, mixed: bool) -> dict[str, Cell]:
    """The row of a run. ``mixed``: others read clips of another kind, synthetic or not."""
    r = view.record
    made = mixed and r.data is not None and r.data.synthetic
    name = f"{r.cell.model}+{r.cell.variant}" if r.cell.variant else r.cell.model
    share = r.cost.data_time_share
    return {
        "run": Cell(name, href=view.page, sub=r.key[:12]),
        "stage": Cell(view.stage),
        "dataset": Cell(view.data_name or view.dataset, sub="synthetic" * made),
        "date": Cell(r.finished[:10]),
        "commit": Cell(f.short_commit(r.commit)),
        "state": Cell(
            r.status,
            sub="; ".join(filter(None, ("adopted" if r.adopted_from else "", view.state))),
            state="failed" if r.status == "failed" else "",
        ),
        "adopted": Cell(reason(r)),
        "adopted_from": Cell(r.adopted_from[:12]),
        "train": Cell(f.modalities(r.cell.train_modalities)),
        "test": Cell(f.modalities(r.cell.test_modality)),
        "seed": Cell(str(r.cell.seed), r.cell.seed),
        "synthetic": Cell(f.names(view.synthetic)),
        "top1": _top1(view),
        "time": Cell(f.seconds(r.cost.total_seconds), r.cost.total_seconds, origin=MEASURED),
        "memory": Cell(f.memory(r.cost.peak_memory_bytes), r.cost.peak_memory_bytes, origin=MEASURED),
        "params": Cell(f.large(r.cost.params), r.cost.params, origin=MEASURED),
        "waiting": Cell(f.percent(share), None if share is None else 100 * share, origin=MEASURED),
    }


def _top1(view: RunView) -> Cell:
    metrics, scored = view.record.metrics, view.scored
    if metrics is None or scored is None:
        return missing(f.DASH, "failed" if view.record.status == "failed" else "predicts no class", MEASURED)
    text = f.percent(metrics.top1, f.percent_digits(scored.clips))
    return Cell(text, 100 * metrics.top1, origin=MEASURED, bar=Bar(metrics.top1, *(scored.interval or (None, None))))


def run_page(folder: Path, own: Privacy, run: RunView) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Values and files of the page of one run, which lies in ``folder``."""
    more = details(folder, own, run)
    facts = [{"value": value, "name": name, "sub": sub} for value, name, sub in (*_metrics(run), *_costs(run))]
    values = {"run": run, "banner": run.banner, "more": more, "facts": facts, "what": _what(run, len(more.epochs))}
    values |= {"data": _data(run) or "none recorded", "commit": f.short_commit(run.record.commit)}
    values |= {"pictures": {c.clip_id: c for c in run.pictures}, "moments": _moments(run)}
    return values | {"apostrophes": APOSTROPHES, "older": OLDER}, _files(run, more)


def _moments(run: RunView) -> str:
    """What the pictures of the hardest clips show."""
    seen = run.record.cell.test_modality.split("+")
    made = [f"{f.modalities(m)} is made of {f.modalities(DERIVED_FROM[m])}" for m in seen if m in DERIVED_FROM]
    text = "Pictures: four moments of each clip, as the camera recorded them"
    text += f" ({', '.join(made)})" if made else ""
    bright = any(p.brightened for c in run.pictures for p in c.pictures)
    return text + (", dark ones beside themselves brightened, all four with one gain." if bright else ".")


def _files(run: RunView, more: RunDetails) -> dict[str, str]:
    """What a page links to: of the runs that a table shows, and the logs of those that failed."""
    predictions = {run.csv: more.predictions.csv} if more.predictions is not None and run.shown else {}
    return predictions | ({run.log_file: more.log.text + "\n"} if more.log is not None else {})


def _metrics(run: RunView) -> list[tuple[str, str, str]]:
    """Value, name and explanation of each metric."""
    m, p = run.record.metrics, run.scored
    if m is None or p is None:
        return []
    digits = f.percent_digits(p.clips)
    interval = f"{p.text}{', provisional' * run.provisional}"
    return [
        (f"{f.percent(m.top1, digits)} %", "top-1 accuracy", f"{p.right} of {p.clips} clips; {interval}"),
        (f"{f.percent(m.mean_class, digits)} %", "mean class accuracy", ""),
        (f"{f.percent(m.top5, digits)} %", "top-5 accuracy", ""),
    ]


def _costs(run: RunView) -> list[tuple[str, str, str]]:
    """Value, name and explanation of each cost that is recorded."""
    cost = run.record.cost
    shape = " × ".join(map(str, cost.input_shape))
    known = (
        (f.large(cost.params), "parameters", "of the network that predicts"),
        (f"{cost.flops / 1e9:.3g}" if cost.flops is not None else f.DASH, "GMACs per view", shape),
        (f.seconds(cost.train_seconds), "training, this stage", _waiting(cost.data_time_share)),
        (f.seconds(run.train_seconds if run.parents else None), "training, all stages", "each stage once"),
        (f.seconds(cost.test_seconds), "testing", ""),
        (f.memory(cost.peak_memory_bytes), "peak memory", ""),
    )
    return [k for k in known if k[0] != f.DASH]


def _waiting(share: float | None) -> str:
    return "" if share is None else f"{f.percent(share, 0)} % of it waiting for data"


def _training_clips(r: RunRecord) -> str:
    if r.data is None or r.kind == "render":
        return NOT_TRAINED
    return _of_subjects(r.data.train_clips, r.data.train_subjects)


def _of_subjects(clips: int, subjects: Sequence[str]) -> str:
    return f"{clips}, of {f.count(len(subjects), 'subject')}" if clips else "none"


def _data(run: RunView) -> str:
    """The clips it read; "" where it does not say."""
    data = run.record.data
    if data is None:
        return ""
    return f"{run.data_name}{f', {data.lighting}' if data.lighting else ''}{' (synthetic)' if data.synthetic else ''}"


def _what(run: RunView, epochs: int) -> list[tuple[str, str]]:
    r = run.record
    what = [
        ("Stage", run.stage),
        ("Trains on", f.modalities(r.cell.train_modalities)),
        ("Predicts from", f.modalities(r.cell.test_modality)),
    ]
    if r.data is not None:
        what += [
            ("Data", _data(run)),
            ("Training clips", _training_clips(r)),
            ("Test clips", _of_subjects(r.data.test_clips, r.data.test_subjects)),
            ("Clips left out", f"list {r.data.quarantine[:12]}" if r.data.quarantine else "none"),
        ]
    what += [
        ("Synthetic data, stages included", f.names(run.synthetic)),
        *([("95 % interval", f"{INTERVAL}, as on every page")] if run.scored else []),
        ("Overrides", ", ".join(f"{k} = {v}" for k, v in sorted(r.cell.overrides.items())) or "none"),
        ("Profile", r.cell.profile),
        ("Epochs", str(epochs or "none recorded")),
        *[(f"Starting weights, {w.where}", _loaded(w)) for w in r.pretrained],
        *([] if r.pretrained else [("Starting weights", _start(run))]),
        ("Started", r.started or "not recorded"),
        ("Finished", r.finished or "not recorded"),
        ("Attempts", str(r.attempts)),
        ("Commit", f.short_commit(r.commit)),
    ]
    return what


def _start(run: RunView) -> str:
    """What a run without files of starting weights started from."""
    if run.record.kind == "render":
        return NOT_TRAINED
    names = {p.stage: p.name for p in run.parents}
    stages = [f"{names[s]} (its {s.replace('_', '-')})" for s in continued_stages(run.record)]
    return f"those of {' and '.join(stages)}" if stages else "none: from scratch"


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


VIEW = View("Runs", 70, build)
