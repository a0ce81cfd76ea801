"""How a predicted cost is printed: in lines, table by table, or as JSON."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

from harness.cli.common import print_json, print_table
from harness.errors import count

if TYPE_CHECKING:
    from harness.cli.costs import Predicted
    from harness.measure.store_sizes import Sizes


def say(found: Predicted) -> None:
    """Print it in lines, table by table."""
    from harness.data.store.space import gib
    from harness.system.duration import duration

    listed: set[str] = set()
    for table, title in _tables(found).items():
        click.echo(f"{title} ({table})")
        for key, job in found.jobs.items():
            if table in job.tables and key not in listed:
                listed.add(key)
                shown = duration(found.costs[key].seconds) if key in found.costs else "unknown"
                click.echo(f"  {shown:>11s}  {job.name}")
    for line in _lines(found):
        click.echo(line)
    rows = [
        (s.name, _span(s.raw), "as it is" if s.name.endswith("rendered") else gib(s.jpeg)) for s in found.sizes.stores
    ]
    click.echo("")
    print_table([("clip store", "raw", "jpeg"), *rows])
    click.echo(_fits(found.sizes))
    for line in _against_ledger(found):
        click.echo(line)


def _tables(found: Predicted) -> dict[str, str]:
    ids = dict.fromkeys(t for job in found.jobs.values() for t in job.tables)
    return {table: found.titles.get(table, table) for table in ids}


def _lines(found: Predicted) -> list[str]:
    card, shares, wall = found.card, found.shares, found.wall
    out = [""]
    if len(tables := _tables(found)) > 1:
        out += [
            f"{table}: {_hours(found.total(table=table))}, stages that others need too included" for table in tables
        ]
    seeds = sorted({job.seed for job in found.jobs.values()})
    out += [f"seed {seed}: {_hours(found.total(seed=seed))}" for seed in seeds] if len(seeds) > 1 else []
    cards = f"{found.options.devices} {card.title}" if found.options.devices > 1 else f"one {card.title}"
    out.append(f"in all: {_hours(found.total())} of {card.title} for {count(len(found.costs), 'job')}; on {cards} at "
               f"least {_hours(wall)}")  # fmt: skip
    out.append(
        f"from multiply-adds counted step by step, at {shares.share:.2g} of the published peak ({shares.source}): "
        f"{card.bf16:g} TFLOP/s in bf16, {card.fp32:g} in fp32 for translators and encoders ({card.source})"
    )
    out.append(
        "not in it: waiting for data, work without multiply-adds, starts of jobs; what students side by side save"
    )
    idle = [job.name for key, job in found.jobs.items() if key in found.costs and not found.costs[key].counted]
    if idle:
        out.append(f"without multiply-adds, so without time: {count(len(idle), 'job')}, {_some(idle)}")
    reasons: dict[str, list[str]] = {}
    for name, reason in found.unknown.items():
        reasons.setdefault(reason, []).append(name)
    for folder, reason in found.sizes.unknown.items():
        reasons.setdefault(reason, []).insert(0, f"clip stores of {Path(folder).name}")
    out += [f"unknown: {_some(names)}: {why}" for why, names in reasons.items()]
    return [*out, *found.sources]


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if names[3:] else "")


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.3g} h" if seconds < 360000 else f"{seconds / 3600:,.0f} h"


def _span(raw: tuple[int, int]) -> str:
    from harness.data.store.space import gib

    return gib(raw[1]) if raw[0] == raw[1] else f"{gib(raw[0])} to {gib(raw[1])}"


def _fits(sizes: Sizes) -> str:
    from harness.data.store.space import gib
    from harness.measure.store_sizes import ASSUMED_JPEG_SHARE

    measured = all(s.measured for s in sizes.stores)
    how = "from clips at hand" if measured else f"assumed: {ASSUMED_JPEG_SHARE:g} of raw"
    but = ", ".join(Path(folder).name for folder in sizes.unknown)
    those = f"the stores above, without what is unknown of {but}" if but else "all stores"
    line = f"{those}: raw {_span(sizes.raw)}, jpeg about {gib(sizes.jpeg)} ({how}); free here: {gib(sizes.free)}: "
    advice = {
        "raw": "raw fits",
        "jpeg": "raw does not fit, jpeg does: build them with `data cache --codec jpeg` before `run-all`",
        "": "neither fits: put --work-dir on a larger disk, or run with --no-cache",
    }
    return line + advice[sizes.codec]


def _against_ledger(found: Predicted) -> list[str]:
    """For each hardware of the ledger how well multiply-adds predict the time of its trainings."""
    out = []
    for c in found.compared:
        off = {name: max(ratio, 1 / ratio) for name, ratio in c.ratios.items()}
        worst = max(off, key=lambda name: off[name])
        out.append(
            f"this ledger, {count(len(off), 'training')} on {c.hardware}: {2 * c.rate / 1e9:,.3g} GFLOP/s (median); "
            f"times predicted from that are off by a factor of {median(off.values()):.2f} (median), at most "
            f"{off[worst]:.2f} ({worst}: {c.ratios[worst]:.2f} of what was measured)"
        )
    return out


def say_json(found: Predicted) -> None:
    """Print it as JSON."""
    jobs = [
        {
            "name": job.name,
            "seed": job.seed,
            "tables": list(job.tables),
            "hours": found.costs[key].seconds / 3600 if key in found.costs else None,
            "training_macs": found.costs[key].training if key in found.costs else None,
            "predicting_macs": found.costs[key].predicting if key in found.costs else None,
            "unknown": found.unknown.get(job.name, ""),
        }
        for key, job in found.jobs.items()
    ]
    sizes = found.sizes
    print_json(
        {
            "device": found.card.id,
            "devices": found.options.devices,
            "peak_tflops": {"bf16": found.card.bf16, "fp32": found.card.fp32, "source": found.card.source},
            "share": found.shares.share,
            "share_from": found.shares.source,
            "hours": found.total() / 3600,
            "wall_hours": found.wall / 3600,
            "tables": {table: found.total(table=table) / 3600 for table in _tables(found)},
            "seeds": {s: found.total(seed=s) / 3600 for s in sorted({j.seed for j in found.jobs.values()})},
            "jobs": jobs,
            "stores": [
                {"name": s.name, "raw_bytes": list(s.raw), "jpeg_bytes": s.jpeg, "measured": s.measured}
                for s in sizes.stores
            ],
            "raw_bytes": list(sizes.raw),
            "jpeg_bytes": sizes.jpeg,
            "stores_unknown": dict(sizes.unknown),
            "free_bytes": sizes.free,
            "codec": sizes.codec,
            "ledger": [{"hardware": c.hardware, "macs_per_s": c.rate, "ratios": c.ratios} for c in found.compared],
            "sources": list(found.sources),
        }
    )
