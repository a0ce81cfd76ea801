"""Which clips the numbers of a site are of: a data set's own, others in its layout, or generated ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.ledger.record import RunRecord
from harness.suite import Benchmark, Entry
from reports.ledger.clip_sets import ClipSet
from reports.ledger.kinds import Banner, Kinds, kinds_of
from reports.ledger.ledger import Ledger
from reports.ledger.other_clips import note, other_clips, planned_others


@dataclass(frozen=True)
class MeasuredClips:
    """What tables, figures and pages say of the clips behind their numbers.

    ``sets``: by data set, as counted when its clips were read.
    """

    benchmark: Benchmark
    entries: dict[str, Entry]
    ledger: Ledger
    sets: dict[str, tuple[ClipSet, ...]] = field(default_factory=dict)

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
        made = record.data is not None and record.data.synthetic
        return self.kind_title(record.cell.dataset, made)

    def kind_title(self, dataset: str, synthetic: bool) -> str:
        """What the generated, or the recorded, clips that were measured on a data set are called."""
        declared = self.benchmark.datasets[dataset]
        return declared.title_of_others if not synthetic and dataset in self._other_clips else declared.title

    def set_title(self, found: ClipSet) -> str:
        """What a set of clips is called; where nothing is known of it, the data set whose place it would have."""
        declared, about = self.benchmark.datasets[found.dataset], found.about
        if found.synthetic or "classes" not in about:
            return (
                self.title(found.dataset)
                if found.synthetic is None
                else self.kind_title(found.dataset, found.synthetic)
            )
        return (
            declared.title_of_others if declared.is_other(len(about["classes"]), about["subjects"]) else declared.title
        )

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

    def banner_of_sets(self, sets: Sequence[ClipSet]) -> Banner:
        """The same of a page that shows these sets of clips; that of the site where nothing says what they are."""
        known = {s.synthetic for s in sets if s.synthetic is not None}
        if not known:
            return self.banner()
        counted = [s for s in sets if not s.synthetic and "classes" in s.about]
        others = {s.dataset: (len(s.about["classes"]), s.about["subjects"]) for s in counted}
        unusual = {d: counts for d, counts in others.items() if self.benchmark.datasets[d].is_other(*counts)}
        return Banner(True in known, False in known, note(self.benchmark, unusual), self.banner().stages_on)

    def banner_of(self, record: RunRecord) -> Banner:
        """The same of the page of one run; that of the site where its record does not say what it read."""
        seen, dataset = self.ledger.synthetic[record.key], record.cell.dataset
        if record.data is None:
            return self.banner()
        if record.data.synthetic:
            return Banner(True, False, "", "")
        others = {dataset: self._other_clips[dataset]} if dataset in self._other_clips else {}
        return Banner(False, True, note(self.benchmark, others), ", ".join(seen or ()))

    def others_note(self, dataset: str = "") -> str:
        """Which clips that were measured, or are to be (on any data set, for "") are not the data set whose layout they
        have, in words; "" for none.
        """
        return note(self.benchmark, {d: counts for d, counts in self._others.items() if dataset in ("", d)})

    def comparable(self, dataset: str) -> bool:
        """Whether measured values may be held against a paper's: the data set itself and the paper's own protocol."""
        real = self.synthetic(dataset) is False and dataset not in self._others
        return self.ledger.profile == "paper" and real

    def label(self, dataset: str) -> str:
        """A data set with whether it is synthetic."""
        title, names = self.title(dataset), self.synthetic_names(dataset)
        if not self.tested(dataset):
            made = "synthetic, " if self.planned_on_synthetic(dataset) else ""
            return f"{title} ({made}{self.nothing_yet(dataset)})"
        if self.kinds.mixed(dataset):
            real = self.benchmark.datasets[dataset].title_of_others if dataset in self._others else f"{title} (real)"
            return f"{title} (synthetic) and {real}"
        if self.measured_on_synthetic(dataset):
            return f"{title} (synthetic)"
        return f"{title} (stages on synthetic {', '.join(names)})" if names else title

    def nothing_yet(self, dataset: str) -> str:
        return "no run yet" if self.synthetic(dataset) is None else "nothing tested yet"

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
            how = f"Measured on synthetic data in the layout of {title} with the {self.ledger.profile} profile"
            return how, "claimed and measured values are not comparable, not even in their order"
        if names:
            how = (
                f"Measured on {title} with the {self.ledger.profile} profile; some runs depend on stages that saw "
                f"synthetic data ({', '.join(names)}), and each says so"
            )
            return how, "those are not comparable with claimed values"
        if dataset in self._others:
            how = f"Measured on {title}, not on the data set itself"
        else:
            how = f"Measured with the {self.ledger.profile} profile, not the paper's protocol"
        return how, "not comparable with claimed values"

    def synthetic_note(self, dataset: str) -> str:
        """What the benchmark says of numbers on a synthetic data set;
        "" where the data at hand is real, or not known.
        """
        made = self.synthetic(dataset)
        if made is None:
            made = any(s.synthetic for s in self.sets.get(dataset, ()))
        return self.benchmark.datasets[dataset].synthetic_note if made else ""
