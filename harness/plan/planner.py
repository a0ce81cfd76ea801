"""From cells to jobs: each config resolved, its data looked at, its key made, after the stages that it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import one_line
from harness.fingerprint.code import code_fingerprint, imported_modules, undefined_types
from harness.ledger.identity import IDENTITY_VERSION, canonical_json, identity_config, key_maker
from harness.ledger.record import NOT_TRACKED, CellInfo, DataInfo, Identity, StartingWeights
from harness.plan.data import describe_data
from harness.plan.demands import check_classes, check_demands
from harness.plan.jobs import Job, Plan, Settings
from harness.plan.loaders import lone_clip, missing_data, place_data, whole_epochs
from harness.plan.outputs import check_outputs
from harness.plan.parents import PREDICTIONS, Parent, check_members, fused_modalities, read_parent
from harness.plan.reads import check_reads
from harness.plan.resolve import resolve
from harness.plan.start import Absent, MissingStart, find_weights, hashed, missing_start, placed, start_from
from harness.suite import Cell, Entry
from harness.suite.dotted import without
from harness.system.gc_pause import gc_paused


def make_plan(
    cells: Iterable[Cell], entries: dict[str, Entry], settings: Settings, chosen: Iterable[Cell] = ()
) -> Plan:
    """Plan all cells.

    A cell that cannot be planned (bad config, missing data) is an error of its own, not of the others.

    Args:
        chosen: jobs that are asked for by name, as ``named_cells`` has them; a stage is planned also where no cell that
            depends on it can be.
    """
    with gc_paused():
        return _make_plan([*cells, *chosen], _Planner(entries, settings))


def named_cells(cells: Iterable[Cell], entries: dict[str, Entry], settings: Settings) -> list[Cell]:
    """All cells, and the stages that they depend on as such, each once, without looking at data.

    What a config that cannot be read depends on is left out: its cells are planned in vain.
    """
    planner = _Planner(entries, settings)
    found: dict[tuple[str, int], Cell] = {}
    stages: dict[tuple[Path, str], list[Parent]] = {}

    def visit(cell: Cell) -> None:
        if (cell.id, cell.seed) in found:
            return
        found[cell.id, cell.seed] = cell
        of = cell.entry.config, canonical_json(cell.overrides)
        if of not in stages:
            try:
                declared = resolve(cell.entry.config, settings.profile, cell.overrides).parents
                stages[of] = [read_parent(cell.entry, stage, p, planner.by_path) for stage, p in declared.items()]
            except Exception:  # noqa: BLE001  the plan says of each such cell what is wrong with its config
                stages[of] = []
        for p in stages[of]:
            visit(Cell(p.entry, p.variant, p.overrides, cell.seed if p.seed is None else p.seed))

    for cell in cells:
        visit(cell)
    return list(found.values())


def named_jobs(cells: Iterable[Cell], entries: dict[str, Entry], settings: Settings) -> list[tuple[str, int]]:
    """(name, seed) of all cells and of the stages that they depend on, without looking at data."""
    return [(cell.id, cell.seed) for cell in named_cells(cells, entries, settings)]


def _make_plan(cells: Iterable[Cell], planner: _Planner) -> Plan:
    keys: dict[tuple[str, int], str] = {}
    errors: dict[tuple[str, int], str] = {}
    missing: dict[tuple[str, int], tuple[Absent | Path, ...]] = {}
    for cell in cells:
        try:
            keys[cell.id, cell.seed] = planner.job(cell.entry, cell.variant, cell.overrides, cell.seed).key
        except (ValueError, OSError) as e:
            errors[cell.id, cell.seed] = _reason(e)
            missing[cell.id, cell.seed] = tuple(planner.lacks[cell.entry.config, canonical_json(cell.overrides)])
    return Plan(planner.jobs, keys, errors, missing)


def _reason(e: ValueError | OSError) -> str:
    """Why a cell cannot be planned, one line."""
    denied = isinstance(e, PermissionError) and e.filename
    return one_line(e) + ("; change its permissions, so that this user may read it" if denied else "")


class _Planner:
    def __init__(self, entries: dict[str, Entry], settings: Settings) -> None:
        self.settings = settings
        self.by_path = {e.config.resolve(): e for e in entries.values()}
        self.jobs: dict[str, Job] = {}
        self.made: dict[tuple[Path, str, str, int], Job] = {}
        self.templates: dict[tuple[Path, str], JobTemplate | Exception] = {}
        self.lacks: dict[tuple[Path, str], dict[Absent | Path, None]] = {}  # what it and its stages need in vain

    def job(self, entry: Entry, variant: str, overrides: dict[str, Any], seed: int) -> Job:
        """The job of one cell, and its parents' jobs, each made once."""
        asked = (entry.config, variant, canonical_json(overrides), seed)
        if asked not in self.made:
            self.made[asked] = self._job(entry, variant, overrides, seed)
        return self.made[asked]

    def _job(self, entry: Entry, variant: str, overrides: dict[str, Any], seed: int) -> Job:
        template = self.template(entry, overrides)
        parents = {
            stage: self.job(p.entry, p.variant, p.overrides, seed if p.seed is None else p.seed)
            for stage, p in template.parents.items()
        }
        outputs = {stage: p.output for stage, p in template.parents.items() if p.output}
        members = {stage: p for stage, p in parents.items() if outputs.get(stage) == PREDICTIONS}
        check_members(entry, template.config, template.data, template.data_fingerprints, members)
        keys = {stage: p.key for stage, p in parents.items()}
        key = template.key(keys, seed)
        if key not in self.jobs:
            identity = Identity.model_construct(  # shares what the seeds of a config have in common
                version=IDENTITY_VERSION,
                config=template.identity_config,
                data=template.data_fingerprints,
                parents=keys,
                code=template.code,
                seed=seed,
            )
            self.jobs[key] = Job(
                key=key,
                name=f"{entry.name}{'+' + variant if variant else ''}-s{seed}",
                kind=template.kind,
                cell=CellInfo(
                    model=entry.name,
                    method=entry.method,
                    stage=entry.stage,
                    dataset=entry.dataset,
                    train_modalities=list(entry.train_modalities),
                    test_modality=entry.test_modality,
                    variant=variant,
                    overrides=overrides,
                    seed=seed,
                    profile=self.settings.profile,
                ),
                identity=identity,
                data=template.data,
                config=template.config,
                parents=identity.parents,
                inject_at={stage: p.inject_at for stage, p in template.parents.items()},
                outputs=outputs,
                notes=template.notes,
                pretrained=template.pretrained,
                classifies=entry.classifies,
                renders=entry.renders,
            )
        return self.jobs[key]

    def template(self, entry: Entry, overrides: dict[str, Any]) -> JobTemplate:
        """All that a job has but its seed and its parents' keys."""
        asked = (entry.config, canonical_json(overrides))
        if asked not in self.templates:
            try:
                self.templates[asked] = self._with_all_weights(entry, overrides)
            except (ValueError, OSError) as e:
                self.templates[asked] = e
            # a config may say anything, also what breaks its reader: it stops its own cells alone
            except Exception as e:  # noqa: BLE001
                self.templates[asked] = ValueError(f"{entry.config}: cannot be planned: {type(e).__name__}: {e}")
        found = self.templates[asked]
        if isinstance(found, Exception):
            raise found
        return found

    def _with_all_weights(self, entry: Entry, overrides: dict[str, Any]) -> JobTemplate:
        """The template. Raises MissingStart with all files that it or a stage before it starts from in vain, unless
        something else is wrong with it.
        """
        found: list[Absent] = []
        failed: ValueError | OSError | None = None
        lacks = self.lacks.setdefault((entry.config, canonical_json(overrides)), {})
        try:
            template = self._template(entry, overrides, lacks)
            parents = list(template.parents.values())
        except (ValueError, OSError) as e:
            failed = e
            declared = resolve(entry.config, self.settings.profile, overrides).parents
            parents = [read_parent(entry, stage, p, self.by_path) for stage, p in declared.items()]
        if isinstance(failed, MissingStart):
            found += failed.absent
            lacks.update(dict.fromkeys(failed.absent))
        for parent in parents:
            try:
                self.template(parent.entry, parent.overrides)
            except MissingStart as e:
                found += e.absent
            except (ValueError, OSError):
                pass  # raised again where the parent's job is made, unless files are missing before
            lacks.update(self.lacks[parent.entry.config, canonical_json(parent.overrides)])
        if failed is not None and not isinstance(failed, MissingStart):
            raise failed
        if found:
            raise MissingStart(entry.method, found)
        return template

    def _template(self, entry: Entry, overrides: dict[str, Any], lacks: dict[Absent | Path, None]) -> JobTemplate:
        """The template of a config alone. The folders of data sets that are not there are added to ``lacks``."""
        resolved = resolve(entry.config, self.settings.profile, overrides)
        check_outputs(entry, resolved.config, self.settings.profile)
        config = place_data(resolved.config, self.settings)
        lacks.update(dict.fromkeys(missing_data(config)))
        parents = {stage: read_parent(entry, stage, p, self.by_path) for stage, p in resolved.parents.items()}
        fused = fused_modalities(entry, resolved, self.settings.profile, self.by_path)
        check_reads(entry, resolved.config, overrides, fused)
        inject_at = [key for p in parents.values() for key in p.inject_at]
        own = without(config, inject_at)
        config = start_from(entry, config, own, self.settings.init, self.settings.profile)
        start = missing_start(entry, own, inject_at, self.settings.init, self.settings.profile)
        weights = find_weights(without(config, inject_at), entry)
        data, fingerprints = describe_data(config)
        check_demands(config)
        lacking = check_classes(config) if entry.classifies else ""
        config, small = whole_epochs(config, data)
        hidden = hashed(without(config, inject_at), weights)
        config = placed(config, weights)
        imports = imported_modules(config)
        counted = identity_config(hidden, self.settings.profile)
        code = code_fingerprint(hidden, imports)
        return JobTemplate(
            config=config,
            kind="train" if config.get("train_cfg") else "render",
            identity_config=counted,
            data=data,
            data_fingerprints=fingerprints,
            code=code,
            key=key_maker(counted, fingerprints, code),
            parents=parents,
            notes=tuple(
                filter(
                    None,
                    [
                        resolved.remark(self.settings.profile),
                        small,
                        lone_clip(config, data),
                        lacking,
                        start,
                        _untracked(code),
                        *_undefined(hidden, imports),
                    ],
                )
            ),
            pretrained=tuple(w.started for w in weights),
        )


@dataclass(frozen=True)
class JobTemplate:
    config: dict[str, Any]
    kind: str
    identity_config: dict[str, Any]
    data: DataInfo | None
    data_fingerprints: dict[str, str]
    code: dict[str, str]
    key: Callable[[dict[str, str], int], str]  # of parents' keys and a seed
    parents: dict[str, Parent]
    notes: tuple[str, ...] = ()
    pretrained: tuple[StartingWeights, ...] = ()


def _undefined(config: Mapping[str, Any], imports: Iterable[str]) -> Iterator[str]:
    """A note on each class that nothing defines: what registers it may lie where it cannot be read."""
    for name, like in undefined_types(config, imports).items():
        near = f" (near: {', '.join(like)})" if like else ""
        yield (
            f"no class '{name}' is found{near}; the job fails unless something registers it: correct it, or name the "
            "module that does in custom_imports"
        )


def _untracked(code: dict[str, str]) -> str:
    unknown = [name for name, sha in code.items() if sha == NOT_TRACKED]
    return f"code not tracked: {', '.join(unknown)}; a change of it does not make a run stale" if unknown else ""
