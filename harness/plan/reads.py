"""Whether a config reads the modalities that its metafile declares: what a result is ranked by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.data.registry import clips_of_config
from harness.errors import unknown_name
from harness.suite import Entry
from harness.suite.modalities import DERIVED_FROM, TITLES, in_metafile, ordered

DEFAULT = ("rgb",)  # what the data sets of clips load where a config names no modalities


def read_modalities(config: Mapping[str, Any], split: str) -> tuple[str, ...] | None:
    """The modalities that the loader of ``train`` or ``test`` reads; None where there is none, or nobody knows."""
    dataset = (config.get(f"{split}_dataloader") or {}).get("dataset") or {}
    named = dataset.get("modalities") or (DEFAULT if clips_of_config(dataset) is not None else None)
    return None if named is None else tuple(named)


def check_reads(
    entry: Entry,
    config: Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    fused: tuple[str, ...] | None = None,
) -> None:
    """Raise ValueError where a config that classifies reads other modalities than its metafile declares.

    Training may read what is declared for it, and anything that is derived from a recording by a stage of its own. At
    test time every declared modality is read, or something derived from it, and no other; an entry that is a ``Bound``
    may read what it is trained on besides.

    Args:
        overrides: of the variant; a split whose modalities they set says itself what it reads.
        fused: what the members of a fusion read at test time, which is what the fusion reads.
    """
    if not entry.classifies:
        return
    given = overrides or {}
    where = entry.config.parent / "metafile.yml"
    for split, field, declared in (
        ("train", "Training Modalities", entry.train_modalities),
        ("test", "Modality", entry.test_modalities),
    ):
        read = fused if fused and split == "test" else read_modalities(config, split)
        if read is None or any(key.startswith(f"{split}_dataloader.dataset.modalities") for key in given):
            continue
        if unknown := [name for name in read if name not in TITLES]:
            raise ValueError(f"{entry.config}: {split}_dataloader reads {unknown_name('modality', unknown[0], TITLES)}")
        allowed = set(declared) | _derived(TITLES if split == "train" else declared)
        if split == "test" and entry.metadata.get("Bound"):
            allowed |= set(entry.train_modalities) | _derived(entry.train_modalities)
        seen = set(read) | {DERIVED_FROM[name] for name in read if name in DERIVED_FROM}
        if not set(read) <= allowed or (split == "test" and not set(declared) <= seen):
            reader, cure = f"{split}_dataloader reads", "the dataset's `modalities`"
            if read is fused:
                reader, cure = "its parents read", "`parents`"
            raise ValueError(
                f"{entry.config}: {reader} {_names(read)}, but the metafile declares {field} {_names(declared)}; "
                f"correct {cure}, or {field} of model '{entry.name}' in {where}"
            )


def _derived(sources: Iterable[str]) -> set[str]:
    known = set(sources)
    return {name for name, source in DERIVED_FROM.items() if source in known}


def _names(ids: Iterable[str]) -> str:
    return in_metafile("+".join(ordered(set(ids))))
