"""What ``plan --cost --device`` predicts: hours on a card, and the disk that clip stores take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.common import open_suite
from harness.cli.counter import counter
from harness.cli.options import SuiteOptions
from harness.errors import BadUsage, count, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.measure.cards import Card
    from harness.measure.hours import Compared, Shares, Spent
    from harness.measure.store_sizes import Sizes
    from harness.plan.outline import OutlinedJob
    from harness.suite import Benchmark


@dataclass(frozen=True)
class CardOptions:
    """On what to predict. ``share``: of the card's peak, None for what is measured or else assumed; ``measured``: a
    result of ``bench gpu --json``.
    """

    device: str
    devices: int = 1
    share: float | None = None
    measured: Path | None = None


@dataclass(frozen=True)
class Predicted:
    """A plan's cost. ``costs`` by the keys of ``jobs``; ``unknown``: why jobs have no cost, by their names."""

    card: Card
    options: CardOptions
    shares: Shares
    jobs: Mapping[str, OutlinedJob]
    costs: Mapping[str, Spent]
    unknown: Mapping[str, str]
    sizes: Sizes
    compared: tuple[Compared, ...]
    sources: tuple[str, ...]
    titles: Mapping[str, str]  # of the tables and figures

    @property
    def seconds(self) -> dict[str, float]:
        return {key: self.costs[key].seconds if key in self.costs else 0.0 for key in self.jobs}

    def total(self, **of: object) -> float:
        """Seconds of all jobs, or of those of a ``table`` or ``seed``."""
        chosen = [
            key
            for key, job in self.jobs.items()
            if of.get("table") in (None, *job.tables) and of.get("seed") in (None, job.seed)
        ]
        return sum(self.seconds[key] for key in chosen)

    @property
    def wall(self) -> float:
        """Seconds on all cards together, at least: of one chain of stages, or of an equal share of all jobs."""
        from harness.measure.hours import longest_chain

        return max(longest_chain(self.jobs, self.seconds), self.total() / self.options.devices)


def predict(suite: SuiteOptions, options: CardOptions) -> Predicted:
    """Predict the plan's cost; data, weights and the card need not be here.

    Raises:
        BadUsage: no such card, or something else that is asked for is not there.
    """
    from harness.measure.amounts import sources
    from harness.measure.cards import card
    from harness.measure.hours import compare
    from harness.measure.store_sizes import store_sizes

    asked = card(options.device)
    benchmark, jobs = _outlined(suite)
    records = _records(suite)
    compared = tuple(compare(jobs.values(), lambda job: records.get(job.name)))
    shares = _shares(options, asked, compared)
    costs, unknown = _costs(jobs, asked, shares)
    configs = [job.config for job in jobs.values()]
    titles = {t.id: t.title for t in benchmark.tables} | {f.id: f.title for f in benchmark.figures}
    sizes = store_sizes(configs, suite.work_dir)
    return Predicted(asked, options, shares, jobs, costs, unknown, sizes, compared, tuple(sources(configs)), titles)


def _outlined(suite: SuiteOptions) -> tuple[Benchmark, dict[str, OutlinedJob]]:
    from harness.plan.jobs import Settings
    from harness.plan.loaders import place_data
    from harness.plan.outline import outline
    from harness.plan.workspace import check_profile, quarantine_files, synthetic_root, table_ids
    from harness.suite import expand, load_suite

    check_profile(suite.configs, suite.profile)
    if suite.data_root is not None and not suite.data_root.is_dir():
        raise BadUsage(f"--data-root {suite.data_root}: no such folder")
    benchmark, entries = load_suite(suite.configs)
    cells = expand(benchmark, entries, suite.profile, table_ids(suite.tables), suite.seeds, suite.all_methods)
    jobs = outline(cells, entries, suite.profile)
    root = suite.data_root or (None if suite.profile == "paper" else synthetic_root(suite.profile))
    if root is None and suite.quarantine:
        raise BadUsage("--quarantine: leaves out clips of data; name their folder with --data-root")
    if root is not None:
        place = Settings(Path(suite.configs), suite.profile, root, quarantine_files(suite.quarantine, benchmark))
        jobs = {key: replace(job, config=place_data(job.config, place)) for key, job in jobs.items()}
    return benchmark, jobs


def _records(suite: SuiteOptions) -> dict[str, Any]:
    """Done runs of the ledger that the plan at hand asks for, by the names of its cells; none without data."""
    from harness.plan.run_state import look_up

    if not (suite.work_dir / "runs").is_dir() or (suite.profile == "paper" and suite.data_root is None):
        return {}
    ws = open_suite(suite)
    found = {}
    for (cell, seed), key in ws.plan.keys.items():
        looked = look_up(ws.plan.jobs[key], suite.work_dir)
        if looked.done:
            found[f"{cell}-s{seed}"] = looked.record
    for job in ws.needed().values():
        if job.name not in found and (looked := look_up(job, suite.work_dir)).done:
            found[job.name] = looked.record
    return found


def _shares(options: CardOptions, card: Card, compared: tuple[Compared, ...]) -> Shares:
    from harness.measure.cards import card_of
    from harness.measure.hours import ASSUMED_SHARE, Shares, measured_shares

    if options.share is not None and options.measured is not None:
        raise BadUsage("--share and --measured: one of them says how fast the card is; leave one out")
    if options.share is not None:
        return Shares(options.share, "given by --share")
    if options.measured is not None:
        return measured_shares(options.measured, card)
    for found in compared:
        if card_of(found.hardware) == card:
            said = f"measured: {count(len(found.ratios), 'run')} of this ledger on {found.hardware}"
            return Shares(2 * found.rate / card.peak("auto"), said)
    return Shares(ASSUMED_SHARE, "assumed")


def _costs(jobs: Mapping[str, OutlinedJob], card: Card, shares: Shares) -> tuple[dict[str, Spent], dict[str, str]]:
    from harness.measure.hours import spent

    show, costs, unknown = counter(), {}, {}
    for done, (key, job) in enumerate(jobs.items(), start=1):
        try:
            costs[key] = spent(job, card, shares)
        except (ValueError, OSError) as e:
            unknown[job.name] = one_line(e)
        show("jobs: multiply-adds counted", done, len(jobs))
    if not costs:
        raise ValueError(f"no job's cost is known: {next(iter(unknown.values()), 'nothing is planned')}")
    return costs, unknown
