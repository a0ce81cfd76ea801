"""What a config demands of its data beside being there: classes, people and images, so that no job fails for want of
them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.clips import select
from harness.data.images import images_of_split
from harness.data.registry import ClipDataSet, ImageDataSet, of_config
from harness.plan.loaders import dataset_configs


def check_demands(config: Mapping[str, Any]) -> None:
    """Raise ValueError, one line, where a resolved config has too few people or images, or nothing to validate on."""
    check_sampler(config)
    for split, dataset in dataset_configs(config).items():
        found = of_config(dataset)
        if isinstance(found, ImageDataSet):
            _check_images(found, dataset)
            if split == "train":
                _check_people(config, found, dataset)
        elif isinstance(found, ClipDataSet) and split == "val":  # the other splits are described, which reads them
            select(dataset)


def check_classes(config: Mapping[str, Any]) -> str:
    """Hold the classes of the clips that a resolved config reads against those that its network predicts.

    Returns: a note on classes that have no clip in a split, "" where each has some.
    Raises: ValueError, one line: the network predicts another number of classes.
    """
    notes = []
    for split, dataset in dataset_configs(config).items():
        if not isinstance(of_config(dataset), ClipDataSet):
            continue
        table, clips, _ = select(dataset)
        _check_number(config, len(table.classes), str(dataset["data_root"]))
        seen = {clip.label for clip in clips}
        if without := [name for label, name in enumerate(table.classes) if label not in seen]:
            notes.append(f"classes without a clip to {split} on: {', '.join(without)}")
    return "; ".join(notes)


def check_sampler(config: Mapping[str, Any]) -> None:
    """ValueError where PKSampler is to draw batches of more identities than the training split has."""
    loader = config.get("train_dataloader") or {}
    sampler, dataset = loader.get("sampler") or {}, loader.get("dataset") or {}
    if str(sampler.get("type", "")).rpartition(".")[2] != "PKSampler":
        return
    wanted, by = sampler.get("identities", 16), sampler.get("by", "label")
    known = of_config(dataset)
    if isinstance(known, ClipDataSet):
        table, clips, _ = select(dataset)
        name, there = table.name, len({clip.subject if by == "subject" else clip.label for clip in clips})
        what = "people" if by == "subject" else "classes"
    elif isinstance(known, ImageDataSet):
        shown = (image for image in images_of_split(known, dataset) if known.shows(image, dataset))
        name, there, what = known.title, len({image.pid for image in shown}), "people"
    else:
        return
    if there < wanted:
        raise ValueError(
            f"{dataset['data_root']}: the training split of {name} has clips of {there} {what}, PKSampler draws "
            f"{wanted} for each batch; add clips of others, or lower train_dataloader.sampler.identities (batch_size "
            "is identities x instances)"
        )


def _check_number(config: Mapping[str, Any], classes: int, root: str) -> None:
    """ValueError where the network predicts another number of classes than the data set has."""
    for predicted in _numbers(config.get("model"), "num_classes"):
        if predicted != classes:
            raise ValueError(
                f"{root}: the data set has {classes} classes, the network predicts {predicted}; write configs of your "
                "own with `models new NAME --from ENTRY --configs DIR` and add to each "
                f"model = dict(cls_head=dict(num_classes={classes})) (docs/data.md, Another number of classes)"
            )


def _check_people(config: Mapping[str, Any], found: ImageDataSet, dataset: Mapping[str, Any]) -> None:
    """ValueError where more people are trained on than the network tells apart."""
    there = len({image.pid for image in images_of_split(found, dataset)})
    for known in _numbers(config.get("model"), "num_identities"):
        if there > known:
            raise ValueError(
                f"{dataset['data_root']}: {there} people to train on, the network tells {known} apart; "
                f"set model.num_identities={there}"
            )


def _check_images(found: ImageDataSet, dataset: Mapping[str, Any]) -> None:
    """ValueError where there is no image of a kind that is read."""
    split, there = dataset.get("split", "train"), images_of_split(found, dataset)
    for kind, lacking in (
        (dataset.get("images", "rgb"), not any(found.shows(image, dataset) for image in there)),
        ("ir", bool(dataset.get("with_infrared")) and not any(image.infrared for image in there)),
    ):
        if lacking:
            raise ValueError(
                f"{dataset['data_root']}: split '{split}' of {found.title} has no {kind} image; restore its folders"
            )


def _numbers(node: Any, key: str) -> Iterator[int]:
    """What a model's config says for a key, but for its backbones: there it is of the weights that they start from."""
    if isinstance(node, Mapping):
        if isinstance(node.get(key), int):
            yield node[key]
        for name, child in node.items():
            if name != "backbone":
                yield from _numbers(child, key)
    elif isinstance(node, (list, tuple)):
        for child in node:
            yield from _numbers(child, key)
