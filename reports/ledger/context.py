"""What pages are made from: the benchmark, the model entries, the ledger and the statistics of the data sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from harness.ledger.record import CellInfo, RunRecord
from harness.suite import Benchmark, Entry
from harness.suite.stages import SINGLE
from reports.format import count, short_commit
from reports.ledger.adopted import adopted_note
from reports.ledger.command import command_for, command_of, is_quick
from reports.ledger.ledger import Ledger
from reports.ledger.other_clips import note, other_clips, planned_others
from reports.ledger.results import STATUS, Result
from reports.ledger.running import Running
from reports.ledger.training import training_note


@dataclass(frozen=True)
class ReportContext:
    """``profiles``: further profiles of the site -> their overview, from this profile's pages. ``running``: what runs
    while they are written."""

    benchmark: Benchmark
    entries: dict[str, Entry]
    ledger: Ledger
    statistics: dict[str, dict[str, Any]] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    running: Running | None = None

    @property
    def profile(self) -> str:
        return self.ledger.profile

    @cached_property
    def datasets(self) -> list[str]:
        """Data sets that a plan or a run measures, in the order of the benchmark."""
        measured = {run.cell.dataset for run in self.ledger.runs}
        return [d for d in self.benchmark.datasets if d in measured]

    def synthetic_names(self, dataset: str = "") -> tuple[str, ...] | None:
        """Synthetic data sets that the runs on a data set (on any, for "") or their stages saw;
        None where no run says.
        """
        return self._synthetic.get(dataset)

    @cached_property
    def _synthetic(self) -> dict[str, tuple[str, ...]]:
        """``synthetic_names`` of each data set of which a run says them, and of "" for any."""
        found: dict[str, set[str]] = {}
        for record in self.ledger.shown_records:
            if (names := self.ledger.synthetic[record.key]) is not None:
                for dataset in ("", record.cell.dataset):
                    found.setdefault(dataset, set()).update(names)
        return {dataset: tuple(sorted(names)) for dataset, names in found.items()}

    def synthetic(self, dataset: str = "") -> bool | None:
        """Whether the runs on a data set (on any, for "") or any of their stages used synthetic data;
        None where no run says."""
        names = self.synthetic_names(dataset)
        return None if names is None else bool(names)

    def measured_on_synthetic(self, dataset: str = "") -> bool:
        """Whether runs were tested on generated clips, rather than only depending on stages that saw some."""
        return bool(self._on_synthetic) if dataset == "" else dataset in self._on_synthetic

    @cached_property
    def _on_synthetic(self) -> frozenset[str]:
        shown = self.ledger.shown_records
        return frozenset(
            r.cell.dataset for r in shown if r.data is not None and r.data.synthetic and r.metrics is not None
        )

    @cached_property
    def _tested(self) -> frozenset[str]:
        """The data sets on whose clips something was tested; stages alone test nothing."""
        return frozenset(r.cell.dataset for r in self.ledger.shown_records if r.metrics is not None)

    def tested(self, dataset: str = "") -> bool:
        """Whether anything was tested on a data set's clips (on any, for "")."""
        return bool(self._tested) if dataset == "" else dataset in self._tested

    def planned_on_synthetic(self, dataset: str = "") -> bool:
        """Whether nothing was tested yet, and the clips of the last plan are generated."""
        planned = {d for plan in self.ledger.plans for d in plan.synthetic or ()}
        return not self.tested(dataset) and bool(planned & {dataset} if dataset else planned)

    @property
    def real_data(self) -> bool:
        """Whether clips of a data set of the user's were measured, or are to be, which no command can make."""
        if not self.tested():
            plans = self.ledger.plans
            return any(c.key for plan in plans for c in plan.cells) and all(plan.synthetic == [] for plan in plans)
        return not self.measured_on_synthetic()

    @cached_property
    def _others(self) -> dict[str, tuple[int, int]]:
        planned = planned_others(self.benchmark, self.ledger.plans)
        measured = other_clips(self.benchmark, self.ledger.shown_records)
        return {d: counts for d, counts in planned.items() if self.synthetic(d) is None} | measured

    def title(self, dataset: str) -> str:
        """What the clips that were, or are to be, measured are called: by a data set's own title if they are it."""
        declared = self.benchmark.datasets[dataset]
        return declared.title_of_others if dataset in self._others else declared.title

    def data_name(self, record: RunRecord) -> str:
        """What the data of a run are called; "" where it does not say which they were."""
        if record.data is None:
            return ""
        declared = self.benchmark.datasets[record.cell.dataset]
        return record.data.name.replace(declared.title, self.title(record.cell.dataset))

    def others_note(self, dataset: str = "") -> str:
        """Which clips that were measured, or are to be (on any data set, for "") are not the data set whose layout they
        have, in words; "" for none.
        """
        return note(self.benchmark, {d: counts for d, counts in self._others.items() if dataset in ("", d)})

    def comparable(self, dataset: str) -> bool:
        """Whether measured values may be held against a paper's: the data set itself and the paper's own protocol."""
        real = self.synthetic(dataset) is False and dataset not in self._others
        return self.profile == "paper" and real

    def result(self, cell: str) -> Result | None:
        return self.ledger.results.get(cell)

    @cached_property
    def _stages(self) -> dict[tuple[str, str], str]:
        return {(e.method, e.stage): e.role.title for e in self.entries.values()}

    def stage(self, cell: CellInfo) -> str:
        """The declared title of a run's stage; its name where its method no longer declares it."""
        usual = SINGLE.title if cell.stage == SINGLE.name else cell.stage
        return self._stages.get((cell.method, cell.stage), usual)

    def protocol(self, model: str) -> str:
        """ "common", or the protocol of its own that a model entry has; "" where there is no such entry."""
        entry = self.entries.get(model)
        return "" if entry is None else entry.protocol or "common"

    def renders(self, record: RunRecord) -> bool:
        """Whether a run wrote clips: as its stage is declared, else as the record says."""
        entry = self.entries.get(record.cell.model)
        return entry.renders if entry is not None else bool(record.store_sha256)

    @property
    def not_asked(self) -> str:
        """Why a cell has neither a run nor a place in the plan."""
        asked = ", ".join(sorted({t for plan in self.ledger.plans for t in plan.tables}))
        return "no run of it in the ledger" + (f", and the last plan ({asked}) did not ask for it" if asked else "")

    def leaves_out(self, cell: str) -> bool:
        """Whether the profile leaves out the method of a cell, and nobody asked for the cell all the same."""
        entry = self.entries.get(cell.split("+")[0])
        return entry is not None and self.profile in entry.optional_at and self.result(cell) is None

    def absent(self, cell: str) -> tuple[str, str]:
        """What to say of a cell that has neither a run nor a place in the plan, in a few words, and why."""
        if self.leaves_out(cell):
            return f"left out at {self.profile}", "run with --all-methods"
        return "not asked for", self.not_asked

    @cached_property
    def commit(self) -> str:
        """The commit of the runs: of the newest, where there are several; that of the plan, where nothing has run."""
        newest = sorted((r.finished, r.commit) for r in self.ledger.shown_records if r.commit)
        if not newest:
            return next((p.commit for p in self.ledger.plans), "")
        return newest[-1][1]

    @cached_property
    def commits(self) -> list[str]:
        return sorted({r.commit for r in self.ledger.shown_records} - {""})

    @cached_property
    def date(self) -> str:
        """When the newest run of these pages ended; "" where none says."""
        return max((r.finished for r in self.ledger.shown_records), default="")

    def made(self, dataset: str = "") -> dict[str, str]:
        """How the numbers of a data set were made, as columns that every row of a CSV file has."""
        names = self.synthetic_names(dataset)
        note = self.others_note(dataset)
        data = "; ".join(filter(None, [note, "no run yet"])) if names is None else note or "real"
        if self.planned_on_synthetic(dataset):
            data = f"SYNTHETIC DATA, {self._nothing_yet(dataset)}"
        elif names:
            data = f"SYNTHETIC DATA ({', '.join(names)}){'' if self.measured_on_synthetic(dataset) else ' in stages'}"
        return {"Profile": self.profile, "Commit": self.stamp, "Data": data}

    def header(self, dataset: str = "") -> list[str]:
        """What every download says first: how the numbers were made."""
        commits = f"commit: {self.commit or 'not recorded'}"
        if len(self.commits) > 1:
            commits += f" and {count(len(self.commits) - 1, 'other')}"
        lines = [f"profile: {self.profile}; seeds: {self.ledger.seeds_text}; {commits}"]
        if len(self.ledger.work_dirs) > 1:
            lines.append(f"from {len(self.ledger.work_dirs)} ledgers: {', '.join(self.ledger.names)}")
        names = self.synthetic_names(dataset)
        if names and self.measured_on_synthetic(dataset):
            lines.append(
                f"SYNTHETIC DATA ({', '.join(names)}): measured on generated videos; "
                "not comparable with any published value"
            )
        elif names and self.tested(dataset):
            lines.append(
                f"SYNTHETIC DATA ({', '.join(names)}) in stages that runs depend on; not "
                "comparable with any published value"
            )
        elif note := self.others_note(dataset):
            lines.append(f"{note}; not comparable with any published value")
        if not self.tested(dataset):
            made = "SYNTHETIC DATA: " if self.planned_on_synthetic(dataset) else ""
            lines.append(f"{made}nothing has been tested on this data set yet")
        lines.append("claimed = printed in a paper; measured = from a run in the ledger; they never share a column")
        return lines

    def data_label(self, dataset: str) -> str:
        """A data set with whether it is synthetic."""
        title, names = self.title(dataset), self.synthetic_names(dataset)
        if not self.tested(dataset):
            made = "synthetic, " if self.planned_on_synthetic(dataset) else ""
            return f"{title} ({made}{self._nothing_yet(dataset)})"
        if self.measured_on_synthetic(dataset):
            return f"{title} (synthetic)"
        return f"{title} (stages on synthetic {', '.join(names)})" if names else title

    def _nothing_yet(self, dataset: str) -> str:
        return "no run yet" if self.synthetic(dataset) is None else "nothing tested yet"

    def figure_note(self, dataset: str) -> str:
        """What stands in the file of a figure: how its numbers were made."""
        return f"{self.data_label(dataset)} · profile {self.profile} · commit {self.stamp}"

    def comparability(self, dataset: str, claimed: bool = True) -> str:
        """One sentence on how values were measured and, in a table that papers fill too, whether they compare."""
        if not self.comparable(dataset) and not self.measured_on_synthetic(dataset) and not self.tested(dataset):
            return "Nothing has been measured here yet."
        how, compared = self._measured_how(dataset)
        return f"{how}: {compared}." if claimed else f"{how}."

    def _measured_how(self, dataset: str) -> tuple[str, str]:
        title, names = self.title(dataset), self.synthetic_names(dataset)
        if self.comparable(dataset):
            how = f"Measured on {title} itself with the paper's protocol"
            return how, "claimed and measured values can be compared"
        if self.measured_on_synthetic(dataset):
            how = f"Measured on synthetic data in the layout of {title} with the {self.profile} profile"
            return how, "claimed and measured values are not comparable, not even in their order"
        if names:
            how = (
                f"Measured on {title} with the {self.profile} profile; some runs depend on stages that saw synthetic "
                f"data ({', '.join(names)}), and each says so"
            )
            return how, "those are not comparable with claimed values"
        if dataset in self._others:
            how = f"Measured on {title}, not on the data set itself"
        else:
            how = f"Measured with the {self.profile} profile, not the paper's protocol"
        return how, "not comparable with claimed values"

    def synthetic_note(self, dataset: str) -> str:
        """What the benchmark says of numbers on a synthetic data set;
        "" where the data at hand is real, or not known.
        """
        made = self.synthetic(dataset)
        if made is None:
            made = self.statistics.get(dataset, {}).get("synthetic")
        return self.benchmark.datasets[dataset].synthetic_note if made else ""

    def commits_note(self, results: Iterable[Result | None]) -> str:
        """Says where the rows of a table were not made by the same code; "" where they were."""
        found = sorted({x.commit for r in results if r is not None for x in r.done if x.commit})
        if len(found) < 2:
            return ""
        return f"Runs of this table were made at {len(found)} commits: {', '.join(map(short_commit, found))}."

    def adopted_note(self, results: Iterable[Result | None]) -> str:
        """Which of these results are of adopted runs, and why; "" where none is."""
        return adopted_note(x for r in results if r is not None for x in r.adopted)

    def training_note(self, results: Iterable[Result | None]) -> str:
        """How the intervals of these results treat that a seed is one training; "" where all of them have several."""
        return training_note(r for r in results if r is not None)

    def command_for(self, *tables: str) -> str:
        """The command that measures these tables and figures."""
        return command_for(self.benchmark, self.ledger, tables, self.real_data)

    @cached_property
    def command(self) -> str:
        """The command that makes these pages again."""
        return command_of(self.benchmark, self.entries, self.ledger, self.real_data)

    @property
    def quick(self) -> bool:
        """Whether there is no more than what ``run-all --quick`` asks for."""
        return is_quick(self.benchmark, self.ledger)

    @cached_property
    def tally(self) -> dict[str, int]:
        """Distinct runs that tables and figures ask for, by status; several cells may share a run."""
        found: dict[str, str] = {}
        for run in self.ledger.runs:
            found[run.cell.key or f"{run.cell.id}/{run.cell.seed}"] = run.status
        statuses = list(found.values())
        return {s: statuses.count(s) for s in STATUS}

    @cached_property
    def stamp(self) -> str:
        """The commit as every page shows it, with what does not lie in it."""
        more = len(self.commits) - 1
        elsewhere = any(" --configs " in r.command for r in self.ledger.shown_records)
        text = short_commit(self.commit) + (f" and {count(more, 'other')}" if more > 0 else "")
        return text + ", some configs from elsewhere (--configs)" * elsewhere
