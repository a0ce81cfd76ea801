"""Model entries: the drop-in folders ``mm_configs/<method>/`` with their ``metafile.yml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import unknown_name
from harness.suite import modalities
from harness.suite.address import check_addresses
from harness.suite.benchmark import Benchmark
from harness.suite.field_errors import first_error
from harness.suite.metafile import Collection, Metafile, Model, Start
from harness.suite.modalities import BY_METAFILE
from harness.suite.stages import SINGLE, Stage, check_used, stages_by_name
from harness.suite.yaml_file import read_yaml


@dataclass(frozen=True)
class Entry:
    """One config that can be trained, as the harness sees it."""

    name: str
    config: Path
    method: str
    title: str
    stage: str
    dataset: str
    train_modalities: tuple[str, ...]
    test_modality: str  # a set of modalities is joined by +: rgb+depth
    role: Stage = SINGLE  # what its stage is declared to do
    pretrained: str = ""
    start: tuple[Start, ...] = ()
    optional_at: tuple[str, ...] = ()  # profiles that leave it out unless it is asked for
    protocol: str = ""  # where it is not the benchmark's: shown, and never ranked
    protocol_at: dict[str, str] = field(default_factory=dict, hash=False)  # the same, by profile
    paper: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)
    metadata: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)

    @property
    def test_modalities(self) -> tuple[str, ...]:
        """The members of ``test_modality``, in their fixed order."""
        return tuple(self.test_modality.split("+"))

    def starts_at(self, profile: str) -> tuple[Start, ...]:
        """What training starts from at a profile, where starting weights are asked for."""
        return tuple(s for s in self.start if s.profile == profile)

    def at(self, profile: str) -> Entry:
        """The entry as it is at a profile: with the protocol that it has there."""
        return replace(self, protocol=self.protocol or self.protocol_at.get(profile, ""))

    @property
    def images(self) -> str:
        """The set of images that it learns from, on behalf of ``dataset``; "" for none."""
        return str(self.metadata.get("Images", ""))

    @property
    def classifies(self) -> bool:
        """Whether it predicts a class, so that it has an accuracy."""
        return "classifies" in self.role.does

    @property
    def renders(self) -> bool:
        """Whether it writes a store of clips."""
        return "renders" in self.role.does


def load_entries(configs: Path | Sequence[Path], benchmark: Benchmark) -> dict[str, Entry]:
    """All entries of the method folders in one or more folders of configs, by name, in that order.

    Raises:
        ValueError: a metafile is malformed, names an unknown data set or modality, a config that is not there,
            a name that another folder uses, or something else than a web address as a ``URL``.
    """
    entries: dict[str, Entry] = {}
    methods: dict[str, Entry] = {}  # by their names without capitals, which pages link to
    for folder in [configs] if isinstance(configs, (str, Path)) else configs:
        metafiles = sorted(Path(folder).glob("*/metafile.yml"))
        if not metafiles:
            raise ValueError(f"{folder}: no */metafile.yml found; give the folder of configs with --configs")
        for path in metafiles:
            for entry in _read(path, benchmark):
                if entry.name in entries:
                    raise ValueError(
                        f"{path}: model '{entry.name}' is also in {entries[entry.name].config.parent}; "
                        "names must be unique"
                    )
                entries[entry.name] = entry
                like = methods.setdefault(entry.method.casefold(), entry)
                if like.method != entry.method:
                    raise ValueError(
                        f"{path}: collection '{entry.method}' differs from '{like.method}' of {like.config.parent} in "
                        "capitals alone; choose another name, or the same for one method"
                    )
    return entries


def _read(path: Path, benchmark: Benchmark) -> list[Entry]:
    found = read_yaml(path)
    try:
        check_addresses(found)
        meta = Metafile.model_validate(found)
    except ValidationError as e:
        raise ValueError(f"{path}: {first_error(e, Metafile, found)}") from None
    except ValueError as e:
        raise ValueError(f"{path}: {e}") from None
    collections = {c.name: c for c in meta.collections}
    datasets = {d.training_data: key for key, d in benchmark.datasets.items()}
    try:
        stages = stages_by_name(meta.stages)
        listed = [c.start for c in meta.collections] + [m.start or [] for m in meta.models]
        for start in (s for starts in listed for s in starts):
            for name in start.stages:
                if name not in stages:
                    raise ValueError(f"Starting Weights: {unknown_name('stage', name, stages)}")
            _of_modality(start)
        check_used(meta.stages, (m.stage for m in meta.models))
    except ValueError as e:
        raise ValueError(f"{path}: {e}") from None
    return [_entry(path, m, collections, datasets, stages) for m in meta.models]


def _entry(
    path: Path, m: Model, collections: dict[str, Collection], datasets: dict[str, str], stages: dict[str, Stage]
) -> Entry:
    where = f"{path}: model '{m.name}'"
    if m.stage not in stages:
        raise ValueError(f"{where}: {unknown_name('stage', m.stage, stages)}, or declare it under Stages")
    config = path.parent / Path(m.config).name
    if Path(m.config).parent.name not in ("", path.parent.name):
        raise ValueError(
            f"{where}: Config {m.config} lies in another folder; a config lies beside its metafile, "
            f"in {path.parent.name}"
        )
    if not config.is_file():
        raise ValueError(f"{where}: config {config} does not exist")
    if config.stem != m.name:
        raise ValueError(
            f"{where}: its config is named {config.name}; the name must be the config's stem '{config.stem}'"
        )
    collection = collections.get(m.collection)
    if collection is None:
        raise ValueError(f"{where}: In Collection '{m.collection}' is not among {', '.join(collections)}")
    data = m.metadata.get("Training Data")
    if data not in datasets:
        raise ValueError(f"{where}: Metadata: {unknown_name('Training Data', data, datasets)}")
    test, train = _modalities(where, m)
    return Entry(
        name=m.name,
        config=config,
        method=collection.name,
        title=collection.metadata.get("Title", collection.name),
        stage=m.stage,
        role=stages[m.stage],
        dataset=datasets[data],
        train_modalities=train,
        test_modality=test,
        pretrained=str(m.metadata.get("Pretrained", "none")),
        start=tuple(
            s
            for s in (collection.start if m.start is None else m.start)
            if _starts(s, stages[m.stage]) and _of_modality(s) in ("", test)
        ),
        optional_at=collection.optional_at if m.optional_at is None else m.optional_at,
        protocol=m.protocol.strip(),
        protocol_at={profile: text.strip() for profile, text in collection.protocol_at.items()},
        paper=collection.paper,
        metadata={**collection.metadata, **m.metadata},
    )


def _modalities(where: str, m: Model) -> tuple[str, tuple[str, ...]]:
    """What a model is tested on, as the id of a set, and what it is trained on, in the order of the metafile."""
    try:
        test = modalities.members(m.modality, BY_METAFILE)
    except ValueError as e:
        raise ValueError(f"{where}: Modality: {e}") from None
    for name in m.training or ():
        if name not in BY_METAFILE:
            raise ValueError(f"{where}: Training Modalities: {unknown_name('modality', name, BY_METAFILE)}")
    train = tuple(BY_METAFILE[name] for name in m.training) if m.training else test
    try:
        modalities.ordered(train)
    except ValueError as e:
        raise ValueError(f"{where}: Training Modalities: {e}") from None
    return modalities.joined(test), train


def _starts(start: Start, stage: Stage) -> bool:
    """Whether weights are for a stage: one that is named, else any that has a network of its own."""
    return stage.name in start.stages if start.stages else bool({"trains", "renders"} & set(stage.does))


def _of_modality(start: Start) -> str:
    """The id of the set of modalities that weights are for, "" for any. Raises ValueError for an unknown one."""
    try:
        return modalities.joined(modalities.members(start.modality, BY_METAFILE)) if start.modality else ""
    except ValueError as e:
        raise ValueError(f"Starting Weights: Modality: {e}") from None
