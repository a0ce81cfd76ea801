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
from reports.ledger.kinds import Banner, Kinds, kinds_of
from reports.ledger.ledger import Ledger
from reports.ledger.other_clips import note, other_clips, planned_others
from reports.ledger.results import STATUS, Result
from reports.ledger.running import Running
from reports.ledger.training import training_note
from reports.ledger.undeclared import without_row


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

    @cached_property
    def kinds(self) -> Kinds:
        """Of the runs behind the numbers of tables; a run whose method has no config here is in none of them."""
        shown = self.ledger.shown_records
        return kinds_of([r for r in shown if r.cell.model in self.entries] or shown, self.ledger.synthetic)

    def synthetic_names(self, dataset: str = "") -> tuple[str, ...] | None:
        """Synthetic data sets that the runs on a data set (on any, for "") or their stages saw;
        None where no run says.
        """
        return self.kinds.synthetic.get(dataset)

    def synthetic(self, dataset: str = "") -> bool | None:
        """Whether the runs on a data set (on any, for "") or any of their stages used synthetic data;
        None where no run says."""
        names = self.synthetic_names(dataset)
        return None if names is None else bool(names)

    def measured_on_synthetic(self, dataset: str = "") -> bool:
        """Whether runs were tested on generated clips, rather than only depending on stages that saw some."""
        return dataset in self.kinds.generated

    def tested(self, dataset: str = "") -> bool:
        """Whether anything was tested on a data set's clips (on any, for "")."""
        return dataset in self.kinds.tested

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
        measured = {d: counts for d, counts in self._other_clips.items() if d in self.kinds.recorded}
        return {d: counts for d, counts in planned.items() if self.synthetic(d) is None} | measured

    @cached_property
    def _other_clips(self) -> dict[str, tuple[int, int]]:
        """``other_clips`` of all runs, whether a table shows them or not."""
        return other_clips(self.benchmark, (record for _, record in self.ledger.records.values()))

    def title(self, dataset: str) -> str:
        """What the clips that were, or are to be, measured are called: by a data set's own title if they are it, or
        some of them are synthetic."""
        declared = self.benchmark.datasets[dataset]
        others = dataset in self._others and not self.measured_on_synthetic(dataset)
        return declared.title_of_others if others else declared.title

    def data_name(self, record: RunRecord) -> str:
        """What the data of a run are called; "" where it does not say which they were."""
        if record.data is None:
            return ""
        return record.data.name.replace(self.benchmark.datasets[record.cell.dataset].title, self.clips_of(record))

    def clips_of(self, record: RunRecord) -> str:
        """What the clips of a run are called, whatever else was measured on clips in their layout."""
        declared = self.benchmark.datasets[record.cell.dataset]
        made = record.data is not None and record.data.synthetic
        return declared.title_of_others if not made and record.cell.dataset in self._other_clips else declared.title

    def banner(self, users: Iterable[str] = ()) -> Banner:
        """What a page says first of its numbers, which are those of some tables and figures; of all, where they have
        none or the page is of no table."""
        ids = set(users)
        results = (r for i, r in self.ledger.results.items() if ids.intersection(self.ledger.used_by.get(i, ())))
        records = [x for r in results for x in r.done]
        if records:
            return self.banner_over(kinds_of(records, self.ledger.synthetic))
        if not self.tested():
            return Banner(self.planned_on_synthetic(), False, self.others_note(), "")
        return self.banner_over(self.kinds)

    def banner_over(self, kinds: Kinds) -> Banner:
        """The same of runs on such clips."""
        made = "" in kinds.generated
        others = {d: counts for d, counts in self._other_clips.items() if d in kinds.recorded}
        stages_on = "" if made else ", ".join(kinds.synthetic.get("", ()))
        return Banner(made, "" in kinds.recorded, note(self.benchmark, others), stages_on)

    def banner_of(self, record: RunRecord) -> Banner:
        """The same of the page of one run; that of the site where its record does not say what it read."""
        seen, dataset = self.ledger.synthetic[record.key], record.cell.dataset
        if record.data is None:
            return self.banner()
        if record.data.synthetic:
            return Banner(True, False, "", "")
        others = {dataset: self._other_clips[dataset]} if dataset in self._other_clips else {}
        return Banner(False, True, note(self.benchmark, others), ", ".join(seen or ()))

    @cached_property
    def without_row(self) -> dict[str, str]:
        """Table -> which results would be rows of it if their methods had configs here, in a sentence."""
        return without_row(self.benchmark, self.entries, self.ledger)

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
        if self.kinds.mixed(dataset):
            data += f"; some of {note or 'real clips'}: each row says which"
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
        if names and self.kinds.mixed(dataset):
            lines.append(
                f"SYNTHETIC DATA ({', '.join(names)}): some numbers are measured on generated videos, others on real "
                "ones, and each says on which; not comparable with each other, nor with any published value"
            )
        elif names and self.measured_on_synthetic(dataset):
            lines.append(
                f"SYNTHETIC DATA ({', '.join(names)}): measured on generated videos; "
                "not comparable with any published value"
            )
        elif names and self.tested(dataset):
            lines.append(
                f"SYNTHETIC DATA ({', '.join(names)}) in stages that runs depend on; not "
                "comparable with any published value"
            )
        if (note := self.others_note(dataset)) and (not names or self.kinds.mixed(dataset)):
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
        if self.kinds.mixed(dataset):
            real = self.benchmark.datasets[dataset].title_of_others if dataset in self._others else f"{title} (real)"
            return f"{title} (synthetic) and {real}"
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
        if self.kinds.mixed(dataset):
            how = (
                f"Some measured on synthetic data in the layout of {title}, some on real clips, and each says on which"
            )
            return how, "numbers of the two are not comparable with each other, nor with claimed values"
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
