"""What pages are made from: the benchmark, the model entries, the ledger and the sets of clips that were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from harness.ledger.record import CellInfo, RunRecord
from harness.suite import Benchmark, Entry
from harness.suite.stages import SINGLE
from reports.format import count, short_commit
from reports.ledger.adopted import adopted_note
from reports.ledger.clip_sets import ClipSet
from reports.ledger.command import command_for, command_of, is_quick
from reports.ledger.kinds import SYNTHETIC
from reports.ledger.ledger import Ledger
from reports.ledger.marks import older_note
from reports.ledger.measured_clips import MeasuredClips
from reports.ledger.results import STATUS, Result
from reports.ledger.running import Running
from reports.ledger.training import training_note
from reports.ledger.undeclared import without_row


@dataclass(frozen=True)
class ReportContext:
    """``clip_sets``: by data set. ``profiles``: further profiles of the site -> their overview, from this profile's
    pages. ``running``: what runs while they are written."""

    benchmark: Benchmark
    entries: dict[str, Entry]
    ledger: Ledger
    clip_sets: dict[str, tuple[ClipSet, ...]] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    running: Running | None = None

    @property
    def profile(self) -> str:
        return self.ledger.profile

    @cached_property
    def clips(self) -> MeasuredClips:
        """Which clips the numbers are of."""
        return MeasuredClips(self.benchmark, self.entries, self.ledger, self.clip_sets)

    @cached_property
    def datasets(self) -> list[str]:
        """Data sets that a plan or a run measures, in the order of the benchmark."""
        measured = {run.cell.dataset for run in self.ledger.runs}
        return [d for d in self.benchmark.datasets if d in measured]

    @cached_property
    def without_row(self) -> dict[str, str]:
        """Table -> which results would be rows of it if their methods had configs here, in a sentence."""
        return without_row(self.benchmark, self.entries, self.ledger)

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
        names = self.clips.synthetic_names(dataset)
        note = self.clips.others_note(dataset)
        data = "; ".join(filter(None, [note, "no run yet"])) if names is None else note or "real"
        if self.clips.planned_on_synthetic(dataset):
            data = f"SYNTHETIC DATA, {self.clips.nothing_yet(dataset)}"
        elif names:
            where = "" if self.clips.measured_on_synthetic(dataset) else " in stages"
            data = f"SYNTHETIC DATA ({', '.join(names)}){where}"
        if self.clips.kinds.mixed(dataset):
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
        names = self.clips.synthetic_names(dataset)
        if names and self.clips.kinds.mixed(dataset):
            lines.append(
                f"SYNTHETIC DATA ({', '.join(names)}): some numbers are measured on generated videos, others on real "
                "ones, and each says on which; not comparable with each other, nor with any published value"
            )
        elif names and self.clips.measured_on_synthetic(dataset):
            lines.append(
                f"SYNTHETIC DATA ({', '.join(names)}): measured on generated videos; "
                "not comparable with any published value"
            )
        elif names and self.clips.tested(dataset):
            lines.append(
                f"SYNTHETIC DATA ({', '.join(names)}) in stages that runs depend on; not "
                "comparable with any published value"
            )
        if (note := self.clips.others_note(dataset)) and (not names or self.clips.kinds.mixed(dataset)):
            lines.append(f"{note}; not comparable with any published value")
        if not self.clips.tested(dataset):
            made = "SYNTHETIC DATA: " if self.clips.planned_on_synthetic(dataset) else ""
            lines.append(f"{made}nothing has been tested on this data set yet")
        lines.append("claimed = printed in a paper; measured = from a run in the ledger; they never share a column")
        return lines

    def figure_note(self, dataset: str, kind: str = "") -> str:
        """What stands in the file of a figure: how its numbers were made, on one kind of clips or on all (for "")."""
        made = f"{self.benchmark.datasets[dataset].title} (synthetic)"
        data = made if kind == SYNTHETIC else kind or self.clips.label(dataset)
        return f"{data} · profile {self.profile} · commit {self.stamp}"

    def commits_note(self, results: Iterable[Result | None]) -> str:
        """Says where the rows of a table were not made by the same code; "" where they were."""
        found = sorted({x.commit for r in results if r is not None for x in r.done if x.commit})
        if len(found) < 2:
            return ""
        return f"Runs of this table were made at {len(found)} commits: {', '.join(map(short_commit, found))}."

    def mark_notes(self, results: Iterable[Result | None]) -> tuple[str, ...]:
        """Which of these results are of adopted runs, and why, and which are older than the last plan."""
        known = [r for r in results if r is not None]
        notes = (adopted_note(x for r in known for x in r.adopted), older_note(known))
        return tuple(note for note in notes if note)

    def training_note(self, results: Iterable[Result | None]) -> str:
        """How the intervals of these results treat that a seed is one training; "" where all of them have several."""
        return training_note(r for r in results if r is not None)

    def command_for(self, *tables: str) -> str:
        """The command that measures these tables and figures."""
        return command_for(self.benchmark, self.ledger, tables, self.clips.real_data)

    @cached_property
    def command(self) -> str:
        """The command that makes these pages again."""
        return command_of(self.benchmark, self.entries, self.ledger, self.clips.real_data)

    @property
    def quick(self) -> bool:
        """Whether there is no more than what ``run-all --quick`` asks for."""
        return is_quick(self.benchmark, self.ledger)

    @cached_property
    def tally(self) -> dict[str, int]:
        """Distinct runs that the tables and figures that were asked for need, by status; cells may share a run."""
        found: dict[str, str] = {}
        for run in self.ledger.asked_present_runs:
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
