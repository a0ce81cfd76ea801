"""What a command works on: the suite as planned against one data root and one work dir."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.clips import dataset_clips
from harness.data.names import at_light
from harness.data.names import synthetic_root as root_of_preset
from harness.data.registry import clips_of_config
from harness.errors import BadUsage, count, unknown_name
from harness.ledger.identity import canonical_json
from harness.ledger.layout import check_files
from harness.ledger.planfile import PlanFile, PlannedCell, write_plan
from harness.ledger.run_dir import PLAN
from harness.plan.asked import Asked, asked
from harness.plan.choice import asked_by_name, chosen_cells, chosen_jobs, split_names
from harness.plan.jobs import Job, Plan, Settings, dependency_closure
from harness.plan.loaders import dataset_configs
from harness.plan.parts import ToMake, sets_to_make
from harness.plan.planned_data import clips_of_sets, synthetic_sets
from harness.plan.planner import make_plan
from harness.suite import Benchmark, Cell, Entry, expand, load_suite
from harness.suite.benchmark import Quick
from harness.suite.configs import profiles_of
from harness.system.disk import check_writable
from harness.system.environment import commit
from mtcd_plugin.formats.splits import quarantine_of


@dataclass(frozen=True)
class Workspace:
    """The suite, its cells, and their jobs."""

    benchmark: Benchmark
    entries: dict[str, Entry]
    cells: list[Cell]
    plan: Plan
    settings: Settings
    tables: list[str]
    seeds: int
    chosen: tuple[str, ...] = ()  # names of the only jobs to run, empty for all
    left_out: tuple[Entry, ...] = ()  # what the tables would show and the profile leaves out

    def needed(self) -> dict[str, Job]:
        """The jobs that the cells depend on, parents first."""
        return dependency_closure(self.plan.jobs, self.plan.keys.values())


def synthetic_root(profile: str) -> Path:
    """Where the built-in synthetic data of a profile lie."""
    return root_of_preset(preset_of(profile))


def preset_of(profile: str) -> str:
    """The preset of the built-in synthetic data that a profile uses."""
    return "smoke" if profile == "smoke" else "demo"


@dataclass(frozen=True)
class RunChoices:
    """What runs leave out and start from.

    Attributes:
        quarantine: items of ``SET=FILE``, files with the clips to leave out.
        init: ``scratch`` or ``pretrained``, None for what the benchmark says of the profile.
        all_methods: with the methods that the profile leaves out.
        quick: nothing but what the benchmark says a quick look is.
    """

    quarantine: tuple[str, ...] = ()
    init: str | None = None
    all_methods: bool = False
    quick: bool = False


def open_workspace(  # noqa: PLR0913  the options of the command line
    configs: Path,
    profile: str,
    data_root: Path | None,
    tables: str | None,
    seeds: int | None,
    choices: RunChoices = RunChoices(),
    make_data: Callable[[Path, str, ToMake], None] | None = None,
    chosen: tuple[str, ...] = (),
) -> Workspace:
    """Plan the suite. Raises ValueError for anything asked for that does not exist. Writes nothing itself.

    Args:
        tables: ids with commas between, None for all that are not optional.
        make_data: writes built-in synthetic sets of a preset to a folder, or the parts of them that cells read, the
            chosen ones where some are; called where no data root is given, after everything that can be checked without
            data.
        chosen: names of the only jobs to run, with seed or without, each or with commas between them; also of methods
            that the profile leaves out.
    """
    check_profile(configs, profile)
    _check_data_root(data_root, profile)
    benchmark, entries = load_suite(configs)
    quick = _quick(benchmark, configs) if choices.quick else None
    ids = quick.tables if quick else table_ids(tables)
    every = expand(benchmark, entries, profile, ids, seeds, all_methods=True)
    if quick:
        every = _only(every, quick.cells)
    settings = Settings(
        configs=Path(configs),
        profile=profile,
        data_root=Path(data_root or synthetic_root(profile)),
        quarantine=quarantine_files(choices.quarantine, benchmark),
        init=choices.init or benchmark.init.get(profile, "scratch"),
    )
    chosen = tuple(split_names(chosen, every, entries, settings))
    cells = every if choices.all_methods or quick else _usual(every, entries, settings, chosen)
    jobs = chosen_jobs(chosen, cells, entries, settings)
    named = chosen_cells(jobs, cells, entries, settings)
    if data_root is None and make_data is not None:
        wanted = sets_to_make(named or cells, entries, profile, quick.data if quick else None)
        make_data(settings.data_root, preset_of(profile), wanted)
    plan = make_plan(cells, entries, settings, named)
    _check_quarantine(settings.quarantine, plan)
    return Workspace(
        benchmark,
        entries,
        cells,
        plan,
        settings,
        benchmark.select(ids).ids,
        max(c.seed for c in cells) + 1 if cells else 0,
        jobs,
        _left_out(every, cells),
    )


def _check_data_root(data_root: Path | None, profile: str) -> None:
    """Raises BadUsage for a folder that is not there, and where the profile needs one."""
    if data_root is not None and not Path(data_root).is_dir():
        raise BadUsage(f"--data-root {data_root}: no such folder")
    if data_root is None and profile == "paper":
        raise BadUsage(
            "--profile paper needs --data-root with the real data sets; the built-in "
            "synthetic data is for demo and smoke"
        )


def _quick(benchmark: Benchmark, configs: Path) -> Quick:
    if benchmark.quick is None:
        raise BadUsage(f"--quick: benchmark.yml of {configs} does not say what a quick look is (quick:); leave it out")
    return benchmark.quick


def _only(cells: list[Cell], ids: list[str]) -> list[Cell]:
    """The cells of some ids, in the order in which they start. Raises ValueError for one that the tables lack."""
    known = dict.fromkeys(c.id for c in cells)
    for i in ids:
        if i not in known:
            raise ValueError(f"benchmark.yml: quick: {unknown_name('cell', i, known)}")
    return [c for i in ids for c in cells if c.id == i]


def table_ids(tables: str | None) -> list[str] | None:
    """The ids of ``--tables``, None for all that are not optional."""
    ids = None if tables is None else [t.strip() for t in tables.split(",") if t.strip()]
    if ids == []:
        raise BadUsage(f"--tables '{tables}': names none; leave the option out for all that are not optional")
    return ids


def _usual(every: list[Cell], entries: dict[str, Entry], settings: Settings, chosen: tuple[str, ...]) -> list[Cell]:
    """The cells that the profile does not leave out, and those that are asked for by name."""
    left_out = [c for c in every if settings.profile in c.entry.optional_at]
    usual = [c for c in every if settings.profile not in c.entry.optional_at]
    named = {(c.id, c.seed) for c in asked_by_name(chosen, usual, left_out, entries, settings)} if left_out else set()
    return [c for c in every if settings.profile not in c.entry.optional_at or (c.id, c.seed) in named]


def _left_out(every: Iterable[Cell], cells: Iterable[Cell]) -> tuple[Entry, ...]:
    planned = {c.entry.name for c in cells}
    return tuple({c.entry.name: c.entry for c in every if c.entry.name not in planned}.values())


def check_profile(configs: Path, profile: str) -> None:
    """Raises ValueError for a profile that has no file."""
    known = sorted(profiles_of(configs))
    if profile not in known:
        raise BadUsage(unknown_name("profile", profile, known or [f"none: no profiles in {configs}"]))


def quarantine_files(items: Iterable[str], benchmark: Benchmark) -> dict[str, Path]:
    """Data set -> the file with the clips to leave out."""
    found: dict[str, Path] = {}
    for text in items:
        name, sep, path = text.partition("=")
        if not sep or not Path(path).is_file():
            raise BadUsage(f"--quarantine {text}: give SET=FILE with an existing file, e.g. mgr_dark=bad.txt")
        if name not in benchmark.datasets:
            raise BadUsage(f"--quarantine {text}: {unknown_name('data set', name, benchmark.datasets)}")
        if name in found:
            raise BadUsage(f"--quarantine {text}: {name} has a file already ({found[name]}); put all clips into one")
        found[name] = Path(path)
    return found


def _check_quarantine(quarantine: dict[str, Path], plan: Plan) -> None:
    """Raises BadUsage for a clip that its data set does not have, and for a data set that nothing planned reads."""
    for name, path in quarantine.items():
        known: set[str] = set()
        for dataset in _clip_datasets(plan.jobs.values()):
            if at_light(Path(dataset["data_root"]).name)[0] == name:
                known.update(clip.clip_id for clip in dataset_clips(dataset)[0].clips)
        if not known:
            if plan.errors:
                continue  # what reads it could not be planned, which is said
            raise BadUsage(f"--quarantine {name}={path}: nothing that is planned reads {name}")
        try:
            quarantine_of(str(path), known, name)
        except ValueError as e:
            raise BadUsage(f"--quarantine {name}={e}") from None


def _clip_datasets(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """The configs of the data sets of clips that jobs read, each once."""
    found = {}
    for job in jobs:
        for dataset in dataset_configs(job.config).values():
            if clips_of_config(dataset) is not None:
                found[canonical_json({k: v for k, v in dataset.items() if k != "pipeline"})] = dataset
    return list(found.values())


def check_planned(workspace: Workspace, work_dir: Path) -> None:
    """Raises ValueError where nothing at all could be planned."""
    if not workspace.plan.keys:
        chosen = workspace.chosen
        none = f"none of {count(len(chosen or workspace.cells), 'job' if chosen else 'cell')}"
        what = f"{chosen[0]} cannot" if len(chosen) == 1 else f"{none} {'that --cell names ' if chosen else ''}can"
        raise ValueError(f"nothing can be run: {what} be planned; {work_dir} stays as it is")


def save_plan(workspace: Workspace, work_dir: Path, blocked: dict[str, str] | None = None) -> None:
    """Write ``plan.json`` for the reports.

    Raises:
        ValueError: nothing could be planned; the plan that is there stays. OSError: the work dir cannot be written.
    """
    check_planned(workspace, work_dir)
    check_writable(work_dir, "--work-dir")
    check_files(work_dir)
    Path(work_dir).mkdir(parents=True, exist_ok=True)
    wanted, keys = _asked(workspace, work_dir), workspace.plan.keys
    jobs = [workspace.plan.jobs[keys[c.id, c.seed]] for c in wanted.cells if (c.id, c.seed) in keys]
    write_plan(
        Path(work_dir) / PLAN,
        PlanFile(
            profile=workspace.settings.profile,
            tables=list(wanted.tables),
            seeds=max((c.seed for c in wanted.cells), default=-1) + 1,
            commit=commit(),
            synthetic=synthetic_sets(jobs),
            clips=clips_of_sets(jobs),
            cells=[_planned(c, workspace, blocked or {}) for c in wanted.cells],
        ),
    )


def _asked(ws: Workspace, work_dir: Path) -> Asked:
    everything = Asked(tuple(ws.cells), tuple(ws.tables))
    return asked(everything, ws.plan, ws.chosen, work_dir, ws.settings.profile)


def _planned(cell: Cell, workspace: Workspace, blocked: dict[str, str]) -> PlannedCell:
    key = workspace.plan.keys.get((cell.id, cell.seed), "")
    error = workspace.plan.errors.get((cell.id, cell.seed), "") or blocked.get(key, "")
    e = cell.entry
    return PlannedCell(
        id=cell.id,
        model=e.name,
        method=e.method,
        title=e.title,
        dataset=e.dataset,
        stage=e.stage,
        train_modalities=list(e.train_modalities),
        test_modality=e.test_modality,
        variant=cell.variant,
        overrides=cell.overrides,
        seed=cell.seed,
        key=key,
        error=error,
        used_by=list(cell.used_by),
    )
