"""Networks trained on the synthetic source set, for the starting weights that metafiles list beside their configs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.registry import ClipDataSet, data_set
from harness.errors import BadUsage, unknown_name
from harness.ledger.record import RunRecord
from harness.ledger.run_dir import PREDICTIONS
from harness.plan.loaders import dataset_configs
from harness.plan.rates import RATE, own_rate
from harness.plan.resolve import resolve, stands_alone
from harness.suite import Cell, Entry
from mtcd_plugin.accuracy import predicted_classes
from mtcd_plugin.formats.clips import ClipTable
from mtcd_plugin.formats.predictions import read_predictions

SOURCE = "source_motions"
BACKBONE = "model.backbone"
EPOCHS = 2  # over colour, depth and infrared of every take


@dataclass(frozen=True)
class Network:
    """A network whose backbone is pretrained once, for all that list its file."""

    file: str  # as metafiles name it: mm_configs/<method>/weights/<name>.pth
    path: Path  # where it lies, or will lie
    entry: Entry  # the first of that folder that starts from it
    listed: bool = True  # whether a metafile names the file

    @property
    def folder(self) -> str:
        """The method's folder, which is how commands name the network."""
        return Path(self.file).parts[1]


def networks(entries: Iterable[Entry], profile: str, named: Sequence[str] = ()) -> list[Network]:
    """The networks whose weights metafiles list for a profile; those of some folders, or all.

    A folder that is named and lists none has one network: its first entry that needs no other run.

    Raises:
        BadUsage: no such folder, or none that could be trained alone; the message lists those that can.
    """
    entries = list(entries)
    found: dict[str, Network] = {}
    for entry in entries:
        for start in entry.starts_at(profile):
            if start.packaged and start.into == BACKBONE and Path(start.file).parts[1] == entry.config.parent.name:
                path = start.path(entry.config.parent.parent)
                found.setdefault(start.file, Network(start.file, path, entry))
    listed = {n.folder for n in found.values()}
    others = {e.config.parent.name: e for e in reversed(entries) if stands_alone(e, profile)} if named else {}
    for name in named:
        if name not in listed and name not in others:
            raise BadUsage(unknown_name("method of one network", name, sorted(listed | set(others))))
        if name not in listed:
            folder = others[name].config.parent
            file = f"{folder.parent.name}/{name}/weights/source-motions_{name}.pth"
            found[file] = Network(file, folder / "weights" / Path(file).name, others[name], listed=False)
    return [n for n in found.values() if not named or n.folder in named]


def source_cell(
    network: Network, profile: str, classes: int, epochs: int | None = None, rate: float | None = None
) -> Cell:
    """A network at a profile, trained and tested on the source set: its own config in all but data and schedule.

    Args:
        classes: of the source set. epochs: None for the profile's own at smoke, and for ``EPOCHS`` elsewhere. rate: of
            learning, None for the network's own at the profile.
    """
    config = resolve(network.entry.config, profile).config
    overrides: dict[str, Any] = {"model.cls_head.num_classes": classes}
    for split, dataset in dataset_configs(config).items():
        overrides[f"{split}_dataloader.dataset"] = {
            "_delete_": True,
            "type": data_set(SOURCE).dataset_class,
            "data_root": f"data/{SOURCE}",
            "split": split,
            "test_mode": split == "test",
            "modalities": ["rgb"],
            "clip_store": "",
            "pipeline": dataset["pipeline"],
        }
    rate = rate or own_rate(config)
    overrides[RATE] = rate
    if config["param_scheduler"]:
        epochs = epochs or EPOCHS
        overrides["train_cfg.max_epochs"] = epochs
        overrides["param_scheduler"] = [
            {
                "type": "OneCycleLR",
                "eta_max": rate,
                "total_steps": epochs,
                "pct_start": 0.2,
                "by_epoch": True,
                "convert_to_iter_based": True,
            }
        ]
    shown = replace(network.entry, dataset=SOURCE, train_modalities=("rgb",), test_modality="rgb")
    return Cell(shown, "source", overrides, 0)


def source_clips(root: Path) -> ClipTable:
    """What the source set below a data root holds. Raises FileNotFoundError or ValueError where it cannot be read."""
    found = data_set(SOURCE)
    if not isinstance(found, ClipDataSet):
        raise TypeError(f"{SOURCE} has no clips")
    return found.read(str(root / SOURCE))


def accuracies_by_modality(folder: Path) -> dict[str, float]:
    """Top-1 of a run on the source set, over all test clips and over those of each camera."""
    found = read_predictions(str(folder / PREDICTIONS), "source set")
    cameras = np.array([i.rpartition("_")[2] for i in found.clip_ids])
    right = predicted_classes(found.scores) == found.labels
    return {"all": float(right.mean()), **{c: float(right[cameras == c].mean()) for c in dict.fromkeys(cameras)}}


def about(record: RunRecord) -> dict[str, str | float]:
    """What a file of weights says of the run that it comes from."""
    if record.data is None or record.metrics is None:
        raise ValueError(f"run {record.key[:12]} was tested on nothing")
    return {
        "data": record.data.name,
        "synthetic": record.data.synthetic,
        "fingerprint": record.data.fingerprint,
        "version": data_set(SOURCE).version,
        "run": record.key,
        "top1": record.metrics.top1,
        "commit": record.commit,
        "command": record.command,  # with passes and rate, where they were given
    }


def with_sha256(metafile: str, file: str, sha256: str) -> str:
    """The text of a metafile with a file's sha256 in every line ``SHA256:`` that follows the file's ``File:``."""
    return re.sub(
        rf'(\bFile: {re.escape(file)}\n\s+SHA256: )"[0-9a-f]*"', lambda found: f'{found[1]}"{sha256}"', metafile
    )
