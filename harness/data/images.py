"""The images that a dataset config reads, known from the lists without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harness.data.clips import check_folder
from harness.data.registry import Image, ImageDataSet
from mtcd_plugin.formats.content import content_hashes


def images_of_split(found: ImageDataSet, dataset: Mapping[str, Any]) -> Sequence[Image]:
    """The images of the split of a dataset config, by default of training, whether it shows them or not."""
    split = dataset.get("split", "train")
    return [image for image in found.read(str(dataset["data_root"])) if image.split == split]


@cache
def images_fingerprint(found: ImageDataSet, root: str) -> str:
    """sha256 hex of all images of a data set: people, cameras, splits, file names and contents."""
    check_folder(root)
    digest = hashlib.sha256()
    images = found.read(root)
    contents = content_hashes(image.path for image in images)
    for image in images:
        file = Path(image.path).name
        digest.update(f"{image.pid},{image.cam},{image.split},{file},{contents[image.path]}\n".encode())
    return digest.hexdigest()
