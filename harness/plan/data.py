"""What a resolved config trains and tests on, read from the annotation files without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.data.clips import Selection, select
from harness.data.images import images_fingerprint, images_of_split
from harness.data.registry import ClipDataSet, ImageDataSet, of_config
from harness.ledger.identity import canonical_json
from harness.ledger.judge import data_fingerprint, info_fingerprint, labels_fingerprint
from harness.ledger.record import DataInfo
from mtcd_plugin.formats.text import is_synthetic

Images = dict[str, tuple[ImageDataSet, dict[str, Any]]]  # split -> data set, dataset config


def describe_data(config: dict[str, Any]) -> tuple[DataInfo | None, dict[str, str]]:
    """What a resolved config trains and tests on, and the fingerprint of each split.

    A dataset class that no data set names has no DataInfo; its fingerprint is that of its config. Images count as
    clips, people as subjects.

    Raises:
        FileNotFoundError, ValueError: data that is missing or malformed, one line.
    """
    chosen: dict[str, Selection] = {}
    prints: dict[str, str] = {}
    images: Images = {}
    for split in ("train", "test"):
        dataset = (config.get(f"{split}_dataloader") or {}).get("dataset")
        if not dataset:
            continue
        found = of_config(dataset)
        if isinstance(found, ClipDataSet):
            chosen[split] = select(dataset)
            prints[split] = chosen[split].fingerprint
        elif isinstance(found, ImageDataSet):
            images[split] = found, dataset
            prints[split] = images_fingerprint(found, str(dataset["data_root"]))
        else:
            known = {k: v for k, v in dataset.items() if k != "pipeline"}
            prints[split] = hashlib.sha256(canonical_json(known).encode()).hexdigest()
    if not chosen:
        if not images:
            return None, prints
        about = _about_images(images, data_fingerprint(prints))
        return about, {**prints, "info": info_fingerprint(about)}
    about = _about_clips(config, chosen, images, data_fingerprint(prints))
    prints["info"] = info_fingerprint(about)
    test = chosen["test"].clips if "test" in chosen else ()
    prints["test_labels"] = labels_fingerprint((c.clip_id, c.subject, c.label) for c in test)
    return about, prints


def _about_clips(config: dict[str, Any], chosen: dict[str, Selection], images: Images, fingerprint: str) -> DataInfo:
    """What a config reads that sees clips, and maybe images beside them, which are not counted."""
    train, test = (chosen[s].clips if s in chosen else () for s in ("train", "test"))
    first, table = next((split, found.table) for split, found in chosen.items())
    lighting = str(config[f"{first}_dataloader"]["dataset"].get("lighting", ""))
    return DataInfo(
        name=" and ".join([table.name, *_titles(images)]),
        synthetic=table.synthetic or _any_synthetic(images),
        fingerprint=fingerprint,
        classes=list(table.classes),
        train_clips=len(train),
        test_clips=len(test),
        train_subjects=sorted({c.subject for c in train}),
        test_subjects=sorted({c.subject for c in test}),
        lighting=lighting if any(c.lighting for c in (*train, *test)) else "",
        quarantine=_left_out(config, chosen),
    )


def _about_images(images: Images, fingerprint: str) -> DataInfo:
    """What a config reads that sees images alone."""
    seen = {split: images_of_split(found, dataset) for split, (found, dataset) in images.items()}
    people = {split: sorted({f"{image.pid:04d}" for image in found}) for split, found in seen.items()}
    return DataInfo(
        name=" and ".join(_titles(images)),
        synthetic=_any_synthetic(images),
        fingerprint=fingerprint,
        classes=[],
        train_clips=len(seen.get("train", ())),
        test_clips=len(seen.get("test", ())),
        train_subjects=people.get("train", []),
        test_subjects=people.get("test", []),
    )


def _titles(images: Images) -> list[str]:
    return list(dict.fromkeys(found.title for found, _ in images.values()))


def _any_synthetic(images: Images) -> bool:
    return any(is_synthetic(Path(dataset["data_root"])) for _, dataset in images.values())


def _left_out(config: Mapping[str, Any], chosen: dict[str, Selection]) -> str:
    """sha256 hex of the ids of the clips that quarantine files leave out, "" where they leave none out."""
    ids: set[str] = set()
    for split, found in chosen.items():
        path = config[f"{split}_dataloader"]["dataset"].get("quarantine")
        ids |= found.quarantined(path) if path else set()
    return hashlib.sha256(canonical_json(sorted(ids)).encode()).hexdigest() if ids else ""
