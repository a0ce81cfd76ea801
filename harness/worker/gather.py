"""Clips of clip stores gathered into batches: one call per clip, which copies its crop of its frames and nothing else.

The pipeline stays that of the config: what draws and counts runs as it stands, stock crops and flips run in
MMAction2's own lazy mode, in which they say what to cut and touch no frame. What is cut is copied by
``torch.index_select``, without the interpreter's lock, out of the memory-mapped store or out of a copy of it on the
training's device.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmaction.datasets.transforms import CenterCrop, Flip, RandomCrop
from mmaction.structures import ActionDataSample
from torch import Tensor
from torch.utils.data import Dataset

from mtcd_plugin.datasets.clip_dataset import ClipDataset
from mtcd_plugin.formats.clip_store import ClipStore, StoreError
from mtcd_plugin.formats.clips import CHANNELS
from mtcd_plugin.formats.flow_code import NO_MOTION
from mtcd_plugin.transforms.load_modalities import LoadModalities
from mtcd_plugin.transforms.pack_clip import PackClip
from mtcd_plugin.transforms.sample_clip_frames import SampleClipFrames
from mtcd_plugin.transforms.split_modalities import SplitModalities

AXES = {"vertical": 1, "horizontal": 2}  # of a clip [T, h, w, C] that is flipped


class NotGathered(ValueError):
    """Why the clips of a data set cannot be gathered, in a few words."""


@dataclass(frozen=True)
class ClipPlan:
    """What one clip of a batch is made of.

    ``frames``: modality -> frames of its store by number, int64 [T]; None where the clip has no such stream.
    ``box``: left, top, right, bottom in pixels. ``flip``: the axis of [T, h, w, C] that is flipped, None for none.
    """

    sample: ActionDataSample
    stores: dict[str, ClipStore]
    frames: dict[str, np.ndarray | None]
    box: tuple[int, int, int, int]
    flip: int | None


class ClipGather(Dataset):
    """Plans the clips of a data set and copies them.

    As a data set it gives ``ClipPlan``s, with exactly the draws that the clips themselves take.

    Args:
        frames_of: the frames of a store, uint8 [frames, height, width, channels], on the device of the batches.

    Raises:
        NotGathered: a clip does not lie in a raw store of the right size, or the pipeline looks at frames.
    """

    def __init__(self, dataset: Dataset, frames_of: Callable[[ClipStore], Tensor] | None = None) -> None:
        self.dataset = inner_dataset(dataset)
        self._length = len(dataset)  # type: ignore[arg-type]  # MMEngine's slices have one
        self.before, self.load, self.spatial, self.pack = divided(self.dataset.pipeline.transforms)
        self.places = places_of(self.dataset, self.load)
        self.channels = {name: CHANNELS.get(name, 1) for name in self.dataset.modalities} | {
            name: store.channels for (_, name), (store, _) in self.places.items()
        }
        self.frames_of = frames_of or mapped_frames
        self._frames: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return self._length

    @property
    def stores(self) -> list[ClipStore]:
        """All that clips are read from."""
        return list({str(store.folder): store for store, _ in self.places.values()}.values())

    def __getitem__(self, index: int) -> ClipPlan:
        return self.dataset.run([index], self._plan)[0]

    def __getitems__(self, indices: Sequence[int]) -> list[ClipPlan]:
        return self.dataset.run(indices, self._plan)

    def _plan(self, results: dict[str, Any]) -> ClipPlan:
        for step in self.before:
            results = step(results)
        stores: dict[str, ClipStore] = {}
        frames: dict[str, np.ndarray | None] = {}
        for name, positions in results["frame_inds"].items():
            stores[name], first = self.places[results["clip_id"], name]
            frames[name] = first + np.asarray(positions, np.int64)
        frames |= dict.fromkeys(results.get("missing", ()))
        results["img_shape"] = results["original_shape"] = (self.load.size[1], self.load.size[0])
        for step in self.spatial:
            results = step(results)
        cut = results.get("lazy") or {"crop_bbox": (0, 0, *self.load.size), "flip": False}
        left, top, right, bottom = (round(float(edge)) for edge in cut["crop_bbox"])
        flip = AXES[cut["flip_direction"]] if cut["flip"] else None
        return ClipPlan(self.pack.data_sample(results), stores, frames, (left, top, right, bottom), flip)

    def shapes(self, plan: ClipPlan) -> dict[str, tuple[int, int, int, int]]:
        """Modality -> [T, h, w, C] of a clip."""
        left, top, right, bottom = plan.box
        length = next(len(frames) for frames in plan.frames.values() if frames is not None)
        return {name: (length, bottom - top, right - left, self.channels[name]) for name in plan.frames}

    def fill(self, plans: Sequence[ClipPlan], batch: Mapping[str, Tensor]) -> None:
        """Copy clips into a batch: modality -> uint8 [clips, T, h, w, C]."""
        for name, out in batch.items():
            index = index_of([plan.frames[name] for plan in plans], out)
            for clip, frames, plan in zip(out, index, plans, strict=True):
                if plan.frames[name] is None:
                    clip.fill_(NO_MOTION if name == "flow" else 0)
                    continue
                left, top, right, bottom = plan.box
                store = self._frames_of(plan.stores[name])
                torch.index_select(store[:, top:bottom, left:right], 0, frames, out=clip)
                if plan.flip is not None:
                    clip.copy_(clip.flip(plan.flip))

    def _frames_of(self, store: ClipStore) -> Tensor:
        key = str(store.folder)
        if key not in self._frames:
            self._frames[key] = self.frames_of(store)
        return self._frames[key]


def index_of(frames: Sequence[np.ndarray | None], out: Tensor) -> Tensor:
    """Frame numbers of a batch's clips, int64 [clips, T], on the device of the batch; 0 for clips that have none."""
    nothing = np.zeros(out.shape[1], np.int64)
    return torch.from_numpy(np.stack([nothing if f is None else f for f in frames])).to(out.device, non_blocking=True)


def mapped_frames(store: ClipStore) -> Tensor:
    """The frames of a store in the page cache, shared by all who read it; never to be written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(store.all_frames)


def inner_dataset(dataset: Any) -> ClipDataset:
    """The clips' data set, within the slice that MMEngine makes of it for ``num_batch_per_epoch``."""
    inner = getattr(dataset, "_dataset", dataset)
    own = {"prepare_data", "__getitem__"}
    if not isinstance(inner, ClipDataset) or any(own & vars(c).keys() for c in _above(type(inner))):
        raise NotGathered(f"{type(inner).__name__} loads its samples in a way of its own")
    return inner


def _above(kind: type) -> Sequence[type]:
    """The classes that specialise ``ClipDataset``."""
    return kind.__mro__[: kind.__mro__.index(ClipDataset)]


def divided(steps: Sequence[Any]) -> tuple[list[Any], LoadModalities, list[Any], PackClip]:
    """A pipeline's steps before frames are loaded, that which loads them, lazy ones that cut them, the last one.

    Raises:
        NotGathered: there are others.
    """
    kinds = [type(step) for step in steps]
    if LoadModalities not in kinds or kinds[-2:] != [SplitModalities, PackClip]:
        raise NotGathered("the pipeline has no LoadModalities, or does not end with SplitModalities and PackClip")
    at = kinds.index(LoadModalities)
    if any(isinstance(step, SampleClipFrames) and step.clip_len is None for step in steps[:at]):
        raise NotGathered("clips of any length are taken whole (SampleClipFrames with clip_len=None)")
    spatial = [copy.copy(step) for step in steps[at + 1 : -2]]
    for number, step in enumerate(spatial):
        if type(step) not in (RandomCrop, CenterCrop, Flip) or step.lazy:
            raise NotGathered(f"{type(step).__name__} looks at frames")
        if isinstance(step, Flip) and number < len(spatial) - 1:
            raise NotGathered("Flip is not the last step that changes frames")
        step.lazy = True
    return list(steps[:at]), steps[at], spatial, steps[-1]


def places_of(dataset: ClipDataset, load: LoadModalities) -> dict[tuple[str, str], tuple[ClipStore, int]]:
    """Clip and modality -> its raw store and its first frame there.

    Raises:
        NotGathered: a clip does not lie in one, or a store is not sound (which loading the clip says in full).
    """
    found: dict[tuple[str, str], tuple[ClipStore, int]] = {}
    channels: dict[str, set[int]] = {}
    for clip in dataset.data_list:
        for name in clip["missing"]:
            channels.setdefault(name, set()).add(CHANNELS.get(name, 1))
        for name, stream in clip["streams"].items():
            store = _store_of(dataset, load, clip, name)
            if store.length(clip["clip_id"]) != stream.frames:
                raise NotGathered(f"{store.folder} has other frames of clip {clip['clip_id']}")
            channels.setdefault(name, set()).add(store.channels)
            found[clip["clip_id"], name] = store, store.first(clip["clip_id"])
    for name, several in channels.items():
        if len(several) > 1:
            raise NotGathered(f"frames of {name} have {' or '.join(map(str, sorted(several)))} channels")
    return found


def _store_of(dataset: ClipDataset, load: LoadModalities, clip: Mapping[str, Any], name: str) -> ClipStore:
    where = {"clip_store": dataset.clip_store, "stores": dataset.stores, "store_sources": clip["store_sources"]}
    try:
        store = load.store_of(where, name)
    except StoreError as error:
        raise NotGathered(str(error)) from None
    if store is None or clip["clip_id"] not in store:
        raise NotGathered(f"{name} of clip {clip['clip_id']} lies in no clip store")
    if store.codec != "raw" or store.size != load.size:
        raise NotGathered(f"{store.folder.name} has to be decoded or resized")
    return store
