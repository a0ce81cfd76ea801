"""Everything a page can know: the benchmark, the model entries, the ledger and the statistics of the data sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.suite import Benchmark, Entry
from reports.formats import count
from reports.results import STATUS, Ledger, Result


@dataclass(frozen=True)
class Board:
    benchmark: Benchmark
    entries: dict[str, Entry]
    ledger: Ledger
    statistics: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def profile(self) -> str:
        return self.ledger.plan.profile

    @property
    def datasets(self) -> list[str]:
        """Data sets that the plan measures, in the order of the benchmark."""
        planned = {c.dataset for c in self.ledger.plan.cells}
        return [d for d in self.benchmark.datasets if d in planned]

    def synthetic(self, dataset: str = "") -> bool | None:
        """Whether the runs on a data set (on any, for "") used synthetic data; None where no record says."""
        said = {
            record.data.synthetic
            for key, (_, record) in self.ledger.records.items()
            if key in self.ledger.pages and record.data is not None and dataset in ("", record.cell.dataset)
        }
        return any(said) if said else None

    def comparable(self, dataset: str) -> bool:
        """Whether measured values may be held against a paper's: real data and the paper's own protocol."""
        return self.profile == "paper" and self.synthetic(dataset) is False

    def result(self, cell: str) -> Result | None:
        return self.ledger.results.get(cell)

    def header(self, dataset: str = "") -> list[str]:
        """What every download says first: how the numbers were made."""
        plan = self.ledger.plan
        lines = [f"profile: {plan.profile}; seeds: {plan.seeds}; commit: {plan.commit or 'not recorded'}"]
        made = self.synthetic(dataset)
        if made:
            lines.append(
                "SYNTHETIC DATA: measured on generated videos; not comparable with any published value"
            )
        elif made is None:
            lines.append("no run has been recorded for this data set yet")
        lines.append(
            "claimed = printed in a paper; measured = from a run in the ledger; they never share a column"
        )
        return lines

    def comparability(self, dataset: str) -> str:
        """One sentence on whether claimed and measured values can be compared."""
        title = self.benchmark.datasets[dataset].title
        if self.comparable(dataset):
            return f"Measured on {title} itself with the paper's protocol: claimed and measured values can be compared."
        if self.synthetic(dataset):
            return (
                f"Measured on synthetic data in the layout of {title} with the {self.profile} profile: "
                "claimed and measured values are not comparable, not even in their order."
            )
        if self.synthetic(dataset) is None:
            return "Nothing has been measured here yet."
        return f"Measured with the {self.profile} profile, not the paper's protocol: not comparable with claimed values."

    @property
    def command(self) -> str:
        """The command that makes these pages again."""
        plan = self.ledger.plan
        parts = ["python -m harness run-all", f"--profile {plan.profile}"]
        if plan.seeds != self.benchmark.seeds.get(plan.profile, 1):
            parts.append(f"--seeds {plan.seeds}")
        if set(plan.tables) != set(self.benchmark.usual):
            parts.append(f"--tables {','.join(plan.tables)}")
        return " ".join(parts)

    @property
    def tally(self) -> dict[str, int]:
        """Distinct planned runs by status; several cells may share a run."""
        found: dict[str, str] = {}
        for run in self.ledger.runs:
            found[run.cell.key or f"{run.cell.id}/{run.cell.seed}"] = run.status
        statuses = list(found.values())
        return {s: statuses.count(s) for s in STATUS}

    @property
    def seeds(self) -> str:
        return count(self.ledger.plan.seeds, "seed")
