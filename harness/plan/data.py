"""Which clips a config trains and tests on, read from the annotation files without torch."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

from harness.ledger.identity import canonical_json
from harness.ledger.judge import data_fingerprint, info_fingerprint, labels_fingerprint
from harness.ledger.record import DataInfo
from mtcd_plugin.formats.clips import Clip, ClipTable, fingerprint
from mtcd_plugin.formats.content import content_hashes
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.nvgesture import read_nvgesture
from mtcd_plugin.formats.splits import read_quarantine, select_clips
from mtcd_plugin.formats.sysu import SysuImage, read_sysu_mm01
from mtcd_plugin.formats.text import is_synthetic

HINT = "; give the folder with --data-root, or make the embedded data with `python -m harness data synthesize`"
TABLE_KEYS = {"MGRDarkDataset": ("lighting",), "NvGestureDataset": ("streams", "lists")}


def describe_data(config: dict[str, Any]) -> tuple[DataInfo | None, dict[str, str]]:
    """What a resolved config trains and tests on, and the fingerprint of each split.

    A data set type of another package has no DataInfo; its fingerprint is that of its config. Images of SYSU-MM01 count
    as clips, people as subjects.

    Raises:
        FileNotFoundError, ValueError: data that is missing or malformed, one line.
    """
    chosen: dict[str, tuple[ClipTable, tuple[Clip, ...], str]] = {}
    prints: dict[str, str] = {}
    pictures: dict[str, str] = {}  # split -> root of SYSU-MM01
    for split in ("train", "test"):
        dataset = (config.get(f"{split}_dataloader") or {}).get("dataset")
        if not dataset:
            continue
        if dataset.get("type") in TABLE_KEYS:
            table, clips, sha = _clips(*_query(dataset))
            chosen[split] = table, clips, str(dataset.get("lighting", ""))
            prints[split] = sha
        elif "sysu" in str(dataset.get("type", "")).lower():
            pictures[split] = str(dataset["data_root"])
            prints[split] = _sysu(pictures[split])
        else:
            known = {k: v for k, v in dataset.items() if k != "pipeline"}
            prints[split] = hashlib.sha256(canonical_json(known).encode()).hexdigest()
    if not chosen:
        if not pictures:
            return None, prints
        about = _about_sysu(config, pictures, data_fingerprint(prints))
        return about, {**prints, "info": info_fingerprint(about)}
    any_table = next(iter(chosen.values()))[0]
    train, test = (chosen.get(s, (None, (), ""))[1] for s in ("train", "test"))
    about = DataInfo(
        name=" and ".join([any_table.name, *["SYSU-MM01"] * bool(pictures)]),
        synthetic=any_table.synthetic or any(is_synthetic(Path(root)) for root in pictures.values()),
        fingerprint=data_fingerprint(prints),
        classes=list(any_table.classes),
        train_clips=len(train),
        test_clips=len(test),
        train_subjects=sorted({c.subject for c in train}),
        test_subjects=sorted({c.subject for c in test}),
        lighting=next(iter(chosen.values()))[2] if any(c.lighting for c in (*train, *test)) else "",
        quarantine=_left_out(config, chosen),
    )
    prints["info"] = info_fingerprint(about)
    prints["test_labels"] = labels_fingerprint((c.clip_id, c.subject, c.label) for c in test)
    return about, prints


def check_sampler(config: dict[str, Any]) -> None:
    """ValueError where PKSampler is to draw batches of more identities than the training split has."""
    loader = config.get("train_dataloader") or {}
    sampler, dataset = loader.get("sampler") or {}, loader.get("dataset") or {}
    if str(sampler.get("type", "")).rpartition(".")[2] != "PKSampler":
        return
    wanted, by = sampler.get("identities", 16), sampler.get("by", "label")
    if dataset.get("type") in TABLE_KEYS:
        table, clips = dataset_clips(dataset)
        name, found = table.name, {clip.subject if by == "subject" else clip.label for clip in clips}
        what = "people" if by == "subject" else "classes"
    elif "sysu" in str(dataset.get("type", "")).lower():
        split, shown = dataset.get("split", "train"), dataset.get("images", "rgb")
        images = [i for i in read_sysu_mm01(str(dataset["data_root"])) if i.split == split]
        found = {i.pid for i in images if shown == "rgb+ir" or i.infrared == (shown == "ir")}
        name, what = "SYSU-MM01", "people"
    else:
        return
    if len(found) < wanted:
        raise ValueError(
            f"{dataset['data_root']}: the training split of {name} has clips of {len(found)} {what}, PKSampler draws "
            f"{wanted} for each batch; add clips of others, or lower train_dataloader.sampler.identities (batch_size "
            "is identities x instances)"
        )


def _about_sysu(config: dict[str, Any], pictures: dict[str, str], fingerprint: str) -> DataInfo:
    """What a config reads that sees SYSU-MM01 alone."""
    seen: dict[str, list[SysuImage]] = {"train": [], "test": []}
    for split, root in pictures.items():
        part = config[f"{split}_dataloader"]["dataset"].get("split", "train")
        seen[split] = [image for image in read_sysu_mm01(root) if image.split == part]
    people = {split: sorted({f"{image.pid:04d}" for image in images}) for split, images in seen.items()}
    return DataInfo(
        name="SYSU-MM01",
        synthetic=any(is_synthetic(Path(root)) for root in pictures.values()),
        fingerprint=fingerprint,
        classes=[],
        train_clips=len(seen["train"]),
        test_clips=len(seen["test"]),
        train_subjects=people["train"],
        test_subjects=people["test"],
    )


def _left_out(config: dict[str, Any], chosen: dict[str, tuple[ClipTable, tuple[Clip, ...], str]]) -> str:
    """sha256 hex of the ids of the clips that quarantine files leave out, "" where they leave none out."""
    ids: set[str] = set()
    for split, (table, _, _) in chosen.items():
        path = config[f"{split}_dataloader"]["dataset"].get("quarantine")
        ids |= read_quarantine(path) & {c.clip_id for c in table.clips} if path else set()
    return hashlib.sha256(canonical_json(sorted(ids)).encode()).hexdigest() if ids else ""


def dataset_clips(dataset: dict[str, Any]) -> tuple[ClipTable, tuple[Clip, ...]]:
    """The table of a clip data set's config and the clips that it selects."""
    return _clips(*_query(dataset))[:2]


def _query(dataset: dict[str, Any]) -> tuple:
    kind = dataset["type"]
    reader = canonical_json({k: dataset[k] for k in TABLE_KEYS[kind] if dataset.get(k) is not None})
    modalities = tuple(dataset.get("modalities") or ("rgb",))
    return (
        kind,
        str(dataset["data_root"]),
        reader,
        dataset.get("split", "train"),
        modalities,
        str(dataset.get("quarantine") or ""),
        tuple(sorted((dataset.get("missing_modality") or {}).items())),
    )


@cache
def _table(kind: str, root: str, arguments: str) -> ClipTable:
    import json

    if not os.path.isdir(root):
        raise FileNotFoundError(f"{root}: no such data set{HINT}")
    read = read_mgr_dark if kind == "MGRDarkDataset" else read_nvgesture
    return read(root, **json.loads(arguments))


@cache
def _clips(
    kind: str,
    root: str,
    arguments: str,
    split: str,
    modalities: tuple[str, ...],
    quarantine: str,
    missing_modality: tuple[tuple[str, str], ...],
) -> tuple[ClipTable, tuple[Clip, ...], str]:
    table = _table(kind, root, arguments)
    clips = tuple(select_clips(table, split, modalities, quarantine, dict(missing_modality), check_files=False))
    return table, clips, fingerprint(clips, modalities, dict(missing_modality))


@cache
def _sysu(root: str) -> str:
    if not os.path.isdir(root):
        raise FileNotFoundError(f"{root}: no such data set{HINT}")
    digest = hashlib.sha256()
    images = read_sysu_mm01(root)
    contents = content_hashes(image.path for image in images)
    for image in images:
        name = Path(image.path).name
        digest.update(f"{image.pid},{image.cam},{image.split},{name},{contents[image.path]}\n".encode())
    return digest.hexdigest()
