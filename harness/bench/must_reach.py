"""What a demo has to reach: its limits, and the records of a run held against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from harness.ledger.planfile import PlannedCell
from harness.ledger.record import RunRecord

LIMITS = {
    "minutes": 20.0,
    "quick_minutes": 3.0,
    "peak_gib": 6.0,
    "chance_p": 0.01,  # of as many right answers by guessing
    "dark_rgb_least": 0.60,
    "dark_rgb_most": 0.85,
    "daylight_gain": 0.08,
    "teacher_top1": 0.90,
    "seed_std": 0.06,
}
METHOD_TABLES = {"table2", "table3"}
ALONE = {"rgb", "depth"}  # modalities on which every method has to be above chance
EXCUSED = {("TSN", "rgb"): "its mean over frames keeps nothing of their order"}
DARK, DAYLIGHT, TEACHER = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-daylight-rgb", "mtcd_teacher_mgr-dark-ir"
SEEDS_FOR_STD = 3


@dataclass(frozen=True)
class Check:
    """One thing that a demo has to reach. ``ok`` None: not among what was run, which only ``--quick`` may say."""

    name: str
    ok: bool | None
    detail: str

    @property
    def line(self) -> str:
        state = {True: "ok", False: "short:", None: "not run:"}[self.ok]
        return f"{state} {self.name}: {self.detail}"


def check_all(
    seconds: float, peak_bytes: int, cells: Sequence[PlannedCell], records: Mapping[str, RunRecord], quick: bool
) -> list[Check]:
    """Everything that a demo has to reach.

    Args:
        seconds: from nothing to pages. peak_bytes: memory of all processes at once.
        cells: of the plan. records: valid ones by key. quick: not all cells were asked for.
    """
    minutes, gib = seconds / 60, peak_bytes / 2**30
    most = LIMITS["quick_minutes" if quick else "minutes"]
    found = [
        Check("time", minutes <= most, f"{minutes:.1f} min, at most {most:.0f}"),
        Check("memory", gib <= LIMITS["peak_gib"], f"{gib:.1f} GiB, at most {LIMITS['peak_gib']:.0f}"),
    ]
    done = {key: r for key, r in records.items() if r.status == "done" and r.metrics is not None}
    methods = _by_cell(cells, done)
    found += [check_above_chance(cell, of_cell) for cell, of_cell in methods]
    found += _check_named(done.values(), quick)
    found += [c for cell, of_cell in methods if (c := check_spread(cell, of_cell)) is not None]
    return found


def _by_cell(
    cells: Iterable[PlannedCell], done: Mapping[str, RunRecord]
) -> list[tuple[PlannedCell, list[RunRecord | None]]]:
    """The methods' cells on one modality, each with its record, or None, for every seed."""
    found: dict[str, tuple[PlannedCell, list[RunRecord | None]]] = {}
    for cell in cells:
        if METHOD_TABLES & set(cell.used_by) and cell.test_modality in ALONE:
            found.setdefault(cell.id, (cell, []))[1].append(done.get(cell.key))
    return list(found.values())


def check_above_chance(cell: PlannedCell, records: Sequence[RunRecord | None]) -> Check:
    """Whether as many right answers, of all seeds together, are hardly ever guessed."""
    from scipy.special import bdtrc

    name = f"{cell.id} above chance"
    known = [r for r in records if r is not None]
    if len(known) < len(records):
        return Check(name, False, f"{len(records) - len(known)} of {len(records)} runs have no result")
    clips = sum(_clips(r) for r in known)
    right = sum(round(_top1(r) * _clips(r)) for r in known)
    p = float(bdtrc(right - 1, clips, 1 / _classes(known[0]))) if right else 1.0
    detail = f"{right} of {clips} right, p {p:.2g}"
    if p < LIMITS["chance_p"]:
        return Check(name, True, detail)
    reason = EXCUSED.get((cell.method, cell.test_modality))
    return Check(name, reason is not None, f"{detail}; excused, {reason}" if reason else detail)


def check_spread(cell: PlannedCell, records: Sequence[RunRecord | None]) -> Check | None:
    """The standard deviation from seed to seed on depth; None for other modalities, and with fewer seeds."""
    known = [_top1(r) for r in records if r is not None]
    if cell.test_modality != "depth" or len(known) < SEEDS_FOR_STD:
        return None
    spread = stdev(known)
    most = LIMITS["seed_std"]
    detail = f"{100 * spread:.1f} points over {len(known)} seeds, at most {100 * most:.0f}"
    return Check(f"{cell.id} from seed to seed", spread <= most, detail)


def _check_named(records: Iterable[RunRecord], quick: bool) -> list[Check]:
    top1: dict[str, list[float]] = {name: [] for name in (DARK, DAYLIGHT, TEACHER)}
    for r in records:
        if r.cell.model in top1 and not r.cell.variant:
            top1[r.cell.model].append(_top1(r))
    means = {name: mean(values) for name, values in top1.items() if values}
    least, most = LIMITS["dark_rgb_least"], LIMITS["dark_rgb_most"]

    def check(name: str, needed: tuple[str, ...], reached: Callable[..., bool], said: Callable[..., str]) -> Check:
        if missing := [n for n in needed if n not in means]:
            return Check(name, None if quick else False, f"no result of {', '.join(missing)}")
        values = [means[n] for n in needed]
        return Check(name, reached(*values), said(*values))

    return [
        check(
            "I3D on dark RGB",
            (DARK,),
            lambda dark: least <= dark <= most,
            lambda dark: f"{100 * dark:.1f} %, between {100 * least:.0f} and {100 * most:.0f}",
        ),
        check(
            "daylight above dark",
            (DARK, DAYLIGHT),
            lambda dark, day: day - dark >= LIMITS["daylight_gain"],
            lambda dark, day: f"{100 * (day - dark):.1f} points, at least {100 * LIMITS['daylight_gain']:.0f}",
        ),
        check(
            "infrared teacher",
            (TEACHER,),
            lambda teacher: teacher >= LIMITS["teacher_top1"],
            lambda teacher: f"{100 * teacher:.1f} %, at least {100 * LIMITS['teacher_top1']:.0f}",
        ),
    ]


def _top1(record: RunRecord) -> float:
    if record.metrics is None:
        raise ValueError(f"{record.cell.model}: has no metrics")
    return record.metrics.top1


def _clips(record: RunRecord) -> int:
    return record.data.test_clips if record.data else 0


def _classes(record: RunRecord) -> int:
    return len(record.data.classes) if record.data else 1
