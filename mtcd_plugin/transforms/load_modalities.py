"""Frames of all modalities as one list, for stock spatial transforms."""

from __future__ import annotations

import os

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mtcd_plugin.formats.clip_store import ClipStore, StoreError, store_name
from mtcd_plugin.formats.clips import CHANNELS
from mtcd_plugin.formats.flow_code import NO_MOTION
from mtcd_plugin.formats.frame_codec import CODECS
from mtcd_plugin.formats.video import read_frames, resize


class ClipError(ValueError):
    """A clip that cannot be loaded. The message is one line that names clip and file.

    A loader worker hands its error on as text, traceback included, through this constructor; the last line of
    it is the message.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message.strip().splitlines()[-1].removeprefix(f"{type(self).__module__}.ClipError: "))


@TRANSFORMS.register_module()
class LoadModalities(BaseTransform):
    """Load the sampled frames of each modality, resized to one size, into one list ``imgs``.

    Every stock spatial operation draws once and maps over the list, so all modalities are cropped or flipped
    alike; ``SplitModalities`` takes them apart again. Frames come from the modality's clip store where there is
    one (codec raw before jpeg), otherwise from the video. Those of a raw store are copied only where they are
    written to.

    Args:
        size: (width, height) of all frames.

    Modalities that the clip has no stream of (``missing``) become black frames, or flow without motion.

    Required keys: ``clip_id streams frame_inds clip_len``; optional ``stores clip_store store_sources missing``.
    Added keys: ``imgs`` (list of uint8 [h, w, 3, 2 or 1]), ``modality_slices`` (modality -> (first, last + 1) in
    ``imgs``), ``img_shape`` and ``original_shape`` (h, w).

    Raises:
        ClipError: a clip cannot be loaded.
    """

    def __init__(self, size: tuple[int, int] = (256, 256)) -> None:
        if not isinstance(size, tuple | list) or len(size) != 2 or min(size) < 1:
            raise ValueError(f"LoadModalities: size={size} must be (width, height)")
        self.size = (int(size[0]), int(size[1]))
        self._opened: dict[str, ClipStore | None] = {}

    def transform(self, results: dict) -> dict:
        images: list[np.ndarray] = []
        slices = {}
        for name, positions in results["frame_inds"].items():
            frames = self._load(results, name, positions)
            slices[name] = (len(images), len(images) + len(frames))
            images += frames
        for name in results.get("missing", ()):
            shape = (self.size[1], self.size[0], CHANNELS.get(name, 1))
            blank = np.full(shape, NO_MOTION if name == "flow" else 0, np.uint8)
            slices[name] = (len(images), len(images) + results["clip_len"])
            images += [blank.copy() for _ in range(results["clip_len"])]
        results["imgs"] = images
        results["modality_slices"] = slices
        results["img_shape"] = results["original_shape"] = (self.size[1], self.size[0])
        return results

    def _load(self, results: dict, name: str, positions: np.ndarray) -> list[np.ndarray]:
        clip_id, stream = results["clip_id"], results["streams"][name]
        try:
            store = self.store_of(results, name)
            if store is None or clip_id not in store:
                return list(read_frames(stream.path, stream.start + positions, self.size, name != "rgb"))
            length = store.length(clip_id)
            if length != stream.frames:
                raise ValueError(f"{store.folder} has {length} frames of a window of {stream.frames}")
            return [resize(frame, self.size) for frame in store.private_frames(clip_id, positions)]
        except (OSError, ValueError) as error:
            raise ClipError(f"clip {clip_id}, {name}: {error}") from error

    def store_of(self, results: dict, name: str) -> ClipStore | None:
        """The store that a sample's modality is read from, None where it is the video. StoreError for one that is not
        sound."""
        given = results.get("stores", {}).get(name)
        source = results.get("store_sources", {}).get(name)
        if given is None and source is None:
            return None
        key = given or os.path.join(results["clip_store"], store_name(name, self.size, source))
        if key not in self._opened:
            self._opened[key] = (
                ClipStore.open(given) if given else find_store(results["clip_store"], name, self.size, source)
            )
        return self._opened[key]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


def find_store(root: str, modality: str, size: tuple[int, int], source: str) -> ClipStore | None:
    """The store below ``root`` that was built from these very videos, or None. StoreError for a folder of the right
    name that holds another store.
    """
    for codec in CODECS:
        folder = os.path.join(root, store_name(modality, size, source, codec))
        if not os.path.isdir(folder):
            continue
        store = ClipStore.open(folder)
        if (store.modality, store.size, store.source or source) != (modality, size, source):
            raise StoreError(
                f"{folder}: is a store of {store.modality} {store.size[0]}x{store.size[1]} made from "
                f"{store.source}; remove it and build it anew"
            )
        return store
    return None
