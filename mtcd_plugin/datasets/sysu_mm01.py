"""SYSU-MM01 for the translator's stages: images of people in visible light and in the near infrared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from mmaction.registry import DATA_SAMPLERS, DATASETS
from mmaction.structures import ActionDataSample
from mmengine.dataset import BaseDataset
from torch.utils.data import Sampler

from mtcd_plugin.datasets.clip_dataset import seeded
from mtcd_plugin.formats.sysu import TOO_LARGE, is_too_large, read_sysu_mm01
from mtcd_plugin.formats.video import resize

IMAGES = ("rgb", "ir", "rgb+ir")


@DATASETS.register_module()
class SYSUMM01Dataset(BaseDataset):
    """Images of SYSU-MM01 (layout: ``formats/sysu.py``), each packed as a clip of one frame.

    Args:
        data_root: folder of the data set.
        split: ``train`` (the lists of training and validation together) or ``test``.
        images: what a sample shows: ``rgb``, ``ir``, or ``rgb+ir`` for either.
        with_infrared: give each sample an infrared image of any person beside its own, drawn anew each time:
            the unpaired input of the translator.
        size: (width, height).
        clip_store: not used; images are read as they are.

    Samples: ``inputs`` uint8 [1, 3 or 1, 1, H, W], with ``with_infrared`` a dict of ``rgb`` and ``ir``;
    ``data_samples`` with the identity as ``gt_label`` (0, 1, ... in the order of the person numbers) and ``person
    camera`` as metainfo.
    """

    def __init__(
        self,
        data_root: str,
        split: str = "train",
        images: str = "rgb",
        with_infrared: bool = False,
        size: tuple[int, int] = (128, 256),
        clip_store: str = "",
        **kwargs,
    ) -> None:
        if images not in IMAGES:
            raise ValueError(f"SYSUMM01Dataset: images '{images}' is unknown; choose from {', '.join(IMAGES)}")
        self.split, self.images, self.with_infrared, self.size = split, images, with_infrared, tuple(size)
        self._draw = torch.full((2,), -1, dtype=torch.int64).share_memory_()  # seed, epoch
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        found = [image for image in read_sysu_mm01(self.data_root) if image.split == self.split]
        labels = {pid: label for label, pid in enumerate(sorted({image.pid for image in found}))}
        shown = [i for i in found if i.infrared == (self.images == "ir") or self.images == "rgb+ir"]
        self._infrared = [image.path for image in found if image.infrared]
        if not shown or (self.with_infrared and not self._infrared):
            raise ValueError(f"{self.data_root}: split '{self.split}' has no {'ir' if shown else self.images} images")
        return [dict(path=i.path, infrared=i.infrared, label=labels[i.pid], person=i.pid, camera=i.cam) for i in shown]

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Draw by (seed, epoch, index) from now on."""
        self._draw[0], self._draw[1] = seed, epoch

    def prepare_data(self, idx: int) -> dict:
        info = self.get_data_info(idx)
        own = self._load(info["path"], gray=info["infrared"])
        sample = ActionDataSample().set_gt_label(info["label"])
        sample.set_metainfo(dict(person=info["person"], camera=info["camera"]))
        if not self.with_infrared:
            return dict(inputs=own, data_samples=sample)
        seed, epoch = self._draw.tolist()
        if epoch < 0:
            other = np.random.randint(len(self._infrared))
        else:
            with seeded(seed, epoch, idx % len(self)):
                other = np.random.randint(len(self._infrared))
        infrared = self._load(self._infrared[other], gray=True)
        return dict(inputs=dict(rgb=own, ir=infrared), data_samples=sample)

    def _load(self, path: str, gray: bool) -> torch.Tensor:
        if is_too_large(path):
            raise ValueError(f"{path}: {TOO_LARGE}; replace or remove it")
        image = cv2.imread(path, cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{path}: not a readable image")
        image = image[..., None] if gray else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return torch.from_numpy(np.ascontiguousarray(resize(image, self.size).transpose(2, 0, 1)))[None, :, None]  # type: ignore[arg-type]  # two


@DATA_SAMPLERS.register_module()
class PKSampler(Sampler):
    """Batches of P identities with K samples each, so that every anchor has positives and negatives.

    Identities with fewer than K samples repeat some. The loader's batch size must be P x K.

    Args:
        dataset: ``get_data_info(i)[by]`` is the identity of sample i.
        by: ``label`` (a person of SYSU-MM01, a gesture of the target) or ``subject`` (of the target).
        identities: P. instances: K.
        batches: per epoch; by default as many as draw the data set's length of samples. (MMEngine's
            ``num_batch_per_epoch`` would keep to the first samples of the data set for good.)
        seed, shuffle: as of MMEngine's samplers; the order is always random.
    """

    def __init__(
        self,
        dataset,
        identities: int = 16,
        instances: int = 4,
        batches: int | None = None,
        by: str = "label",
        seed: int | None = None,
        shuffle: bool = True,
    ) -> None:
        labels = [dataset.get_data_info(i)[by] for i in range(len(dataset))]
        self.samples: dict[int | str, list[int]] = {}
        for position, label in enumerate(labels):
            self.samples.setdefault(label, []).append(position)
        if len(self.samples) < identities:
            raise ValueError(f"PKSampler: identities={identities}, but the data have {len(self.samples)}")
        self.identities, self.instances = identities, instances
        self.batches = batches or math.ceil(len(labels) / (identities * instances))
        self.seed, self.epoch = seed or 0, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.batches * self.identities * self.instances

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        people: Sequence[int | str] = sorted(self.samples)
        for _ in range(self.batches):
            for label in rng.choice(people, self.identities, replace=False).tolist():
                mine = self.samples[label]
                yield from rng.choice(mine, self.instances, replace=len(mine) < self.instances).tolist()
