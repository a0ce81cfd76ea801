"""What a command works on: the suite as planned against one data root and one work dir."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.environment import commit
from harness.ledger.planfile import PlanFile, PlannedCell, write_plan
from harness.plan.jobs import Plan, Settings, ancestors, make_plan
from harness.suite import Benchmark, Cell, Entry, expand, load_benchmark, load_entries
from harness.usage import BadUsage

PLAN = "plan.json"


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

    def needed(self):
        """The jobs that the cells stand on, parents first."""
        return ancestors(self.plan.jobs, self.plan.keys.values())


def synthetic_root(profile: str) -> Path:
    """Where the embedded data of a profile lies."""
    return Path("data") / f"synthetic-{'smoke' if profile == 'smoke' else 'demo'}"


def open_workspace(
    configs: Path,
    profile: str,
    data_root: Path | None,
    tables: str | None,
    seeds: int | None,
    quarantine: tuple[str, ...] = (),
) -> Workspace:
    """Plan the suite. Raises ValueError for anything asked for that does not exist."""
    check_profile(configs, profile)
    if data_root is None and profile == "paper":
        raise BadUsage(
            "--profile paper needs --data-root with the real data sets; the embedded synthetic data is for demo and smoke"
        )
    benchmark = load_benchmark(Path(configs) / "benchmark.yml")
    entries = load_entries(configs, benchmark)
    ids = [t.strip() for t in tables.split(",") if t.strip()] if tables else None
    cells = expand(benchmark, entries, profile, ids, seeds)
    settings = Settings(
        configs=Path(configs),
        profile=profile,
        data_root=Path(data_root or synthetic_root(profile)),
        quarantine=dict(_quarantine(q) for q in quarantine),
    )
    return Workspace(
        benchmark,
        entries,
        cells,
        make_plan(cells, entries, settings),
        settings,
        benchmark.select(ids).ids,
        max(c.seed for c in cells) + 1 if cells else 0,
    )


def check_profile(configs: Path, profile: str) -> None:
    """Raises ValueError for a profile that has no file."""
    known = sorted(p.stem for p in (Path(configs) / "_base_" / "profiles").glob("*.py"))
    if profile not in known:
        raise BadUsage(
            f"unknown profile '{profile}'; choose from {', '.join(known) or 'none: no profiles in ' + str(configs)}"
        )


def _quarantine(text: str) -> tuple[str, Path]:
    name, sep, path = text.partition("=")
    if not sep or not Path(path).is_file():
        raise BadUsage(f"--quarantine {text}: give SET=FILE with an existing file, e.g. mgr_dark=bad.txt")
    return name, Path(path)


def save_plan(workspace: Workspace, work_dir: Path, blocked: dict[str, str] | None = None) -> None:
    """Write ``plan.json`` for the reports. Raises OSError with a clear line where the work dir cannot be written."""
    try:
        Path(work_dir).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise OSError(f"{work_dir}: is not a folder; give another one with --work-dir") from None
    if not os.access(work_dir, os.W_OK):
        raise OSError(f"{work_dir}: not writable; give another folder with --work-dir")
    write_plan(
        Path(work_dir) / PLAN,
        PlanFile(
            profile=workspace.settings.profile,
            tables=workspace.tables,
            seeds=workspace.seeds,
            commit=commit(),
            cells=[_planned(c, workspace, blocked or {}) for c in workspace.cells],
        ),
    )


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
