"""Base of the data sets of clips in one or more synchronised modalities."""

from __future__ import annotations

import logging
import random
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmaction.datasets.base import BaseActionDataset
from mmengine.logging import print_log

from mtcd_plugin.formats.clip_store import ClipStore, groups, source_hash, stores_of
from mtcd_plugin.formats.clips import RENDERED_FROM, Clip, ClipTable, has_stream, source_stream
from mtcd_plugin.formats.splits import select_clips


class ClipDataset(BaseActionDataset):
    """Clips of a ``ClipTable``; subclasses say which one by ``read_table``.

    Args:
        data_root: folder of the data set.
        pipeline: starts with ``SampleClipFrames`` and ``LoadModalities``, ends with ``PackClip``.
        split: ``train``, ``test``, ``all``, or ``fit`` and ``holdout``, which divide the training subjects.
        modalities: which of ``rgb depth ir pseudo_ir flow`` to load, in this order.
        stores: modality -> folder of a clip store with exactly these clips, read instead of the videos. A
            must for ``pseudo_ir`` and ``flow``, whose frames stand beside those of the rgb window one by one.
        clip_store: folder of stores built from the videos, '' for none. One that fits these videos and
            ``LoadModalities.size`` is read; where there is none, the videos are.
        quarantine: file with one clip id per line to leave out, '' for none.
        missing_modality: modality -> what becomes of a clip that has no such stream: ``blank`` keeps it, with black
            frames and the modality's name in the sample's ``missing``; ``drop`` leaves it out. Both are logged.
            A clip that lacks a modality not named here is an error.
        one_in: train on one clip in so many of each training subject (``splits.thinned``). Where the set is trained on,
            an epoch shows each of them so many times, so that it has as many steps as with all clips.

    Each sample has ``clip_id subject pair_id lighting split label``, ``streams`` (modality -> ``Stream``),
    ``missing`` (modalities without a stream), ``stores`` and, with ``clip_store``, ``store_sources``;
    ``frame_times`` as ``SampleClipFrames`` takes it; and, where the gesture's place in the clip is known, ``spans``
    and ``span_stream``, the colour stream in whose frames they are.

    Once ``set_epoch`` was called, the global generators of ``random`` and ``numpy`` are seeded by (seed,
    epoch, index) while a sample is prepared, and restored after it: stock transforms draw the same for any
    number of workers. Without it they draw from the generators as they are.

    Raises:
        FileNotFoundError, ValueError: when built; one line each for a missing file, a malformed annotation,
        an empty split, an unknown name, a clip without a stream, or a store that does not fit.
    """

    def __init__(
        self,
        data_root: str,
        pipeline: list,
        split: str = "train",
        modalities: Sequence[str] = ("rgb",),
        stores: Mapping[str, str] | None = None,
        clip_store: str = "",
        quarantine: str = "",
        missing_modality: Mapping[str, str] | None = None,
        one_in: int = 1,
        **kwargs,
    ) -> None:
        self.split = split
        self.one_in = one_in
        self.modalities = tuple(modalities)
        self.stores = {name: folder for name, folder in (stores or {}).items() if name in self.modalities}
        self.clip_store = clip_store
        self.quarantine = quarantine
        self.missing_modality = {m: what for m, what in (missing_modality or {}).items() if m in self.modalities}
        self._draw = torch.full((2,), -1, dtype=torch.int64).share_memory_()  # seed, epoch
        super().__init__(
            ann_file="",
            data_root=data_root,
            data_prefix={},
            pipeline=pipeline,
            serialize_data=False,  # would cost a garbage collection per data set, for a list that is small
            **kwargs,
        )

    @abstractmethod
    def read_table(self) -> ClipTable:
        """All clips of the data set, both splits."""

    def load_data_list(self) -> list[dict]:
        table = self.read_table()
        clips = self._select(table, self.modalities, self.missing_modality)
        self._log_missing_modality(table, clips)
        self._metainfo.update(classes=list(table.classes), dataset_name=table.name, synthetic=table.synthetic)
        self._check_stores(clips)
        sources = self._store_sources(table)
        times = self._frame_times(sources)
        samples = [
            {
                "clip_id": clip.clip_id,
                "subject": clip.subject,
                "pair_id": clip.pair_id,
                "lighting": clip.lighting,
                "split": clip.split,
                "label": clip.label,
                "streams": {name: source_stream(clip, name) for name in self.modalities if has_stream(clip, name)},
                "missing": [name for name in self.modalities if not has_stream(clip, name)],
                "store_sources": {
                    name: found[clip.lighting] for name, found in sources.items() if clip.lighting in found
                },
                "frame_times": {name: known[clip.clip_id] for name, known in times.items() if clip.clip_id in known},
                **({"spans": clip.spans, "span_stream": clip.streams["rgb"]} if clip.spans else {}),
            }
            for clip in clips
        ]
        return samples if self.test_mode else samples * self.one_in

    def _select(self, table: ClipTable, modalities: Sequence[str], missing_modality: Mapping[str, str]) -> list[Clip]:
        return select_clips(table, self.split, modalities, self.quarantine, missing_modality, one_in=self.one_in)

    def get_data_info(self, idx: int) -> dict:
        return {
            **self.data_list[idx],
            "sample_idx": idx % len(self),
            "modality": "RGB",  # stock transforms treat only "Flow" in another way
            "start_index": 0,
            "clip_store": self.clip_store,
            "stores": self.stores,
        }

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Draw by (seed, epoch, index) from now on, also in workers that run already."""
        self._draw[0], self._draw[1] = seed, epoch

    @property
    def draws_by_index(self) -> bool:
        """Whether what is drawn for a sample does not depend on what is drawn before it."""
        return self.test_mode or int(self._draw[1]) >= 0

    def prepare_data(self, idx: int) -> dict:
        return self.run([idx], self.pipeline)[0]

    def run(self, indices: Sequence[int], pipeline: Callable[[dict], Any]) -> list:
        """What a pipeline, the data set's own or a loader's, makes of samples, with the draws of this epoch."""
        seed, epoch = self._draw.tolist()
        if epoch < 0:
            return [pipeline(self.get_data_info(idx)) for idx in indices]
        with same_random_state():
            return [self._drawn(pipeline, seed, epoch, idx) for idx in indices]

    def _drawn(self, pipeline: Callable[[dict], Any], seed: int, epoch: int, idx: int) -> Any:
        seed_generators(seed, epoch, idx % len(self))
        return pipeline(self.get_data_info(idx))

    def _log_missing_modality(self, table: ClipTable, clips: list[Clip]) -> None:
        """One warning for each modality that some clips do not have."""
        for name, what in self.missing_modality.items():
            if what == "drop":
                whole = self._select(table, (name,), {name: "blank"})
            else:
                whole = clips
            without = [clip.clip_id for clip in whole if not has_stream(clip, name)]
            if without:
                done = "left out" if what == "drop" else "kept without it"
                print_log(
                    f"{table.name}, split '{self.split}': {len(without)} of {len(whole)} clips have no {name} "
                    f"stream and are {done} (first: {', '.join(without[:3])})",
                    logger="current",
                    level=logging.WARNING,
                )

    def _check_stores(self, clips: list[Clip]) -> None:
        for name in self.modalities:
            if name in RENDERED_FROM and not self.stores.get(name):
                raise ValueError(
                    f"modality {name} is rendered, not recorded: set stores=dict({name}=<folder of its store>)"
                )
        for name, folder in self.stores.items():
            store = ClipStore.open(folder)
            for clip in clips:
                if not has_stream(clip, name):
                    continue
                frames, stored = source_stream(clip, name).frames, store.length(clip.clip_id)
                if stored != frames:
                    raise ValueError(
                        f"{folder}: clip {clip.clip_id} has {stored} {name} frames, its window {frames}; "
                        "build the store anew"
                    )

    def _store_sources(self, table: ClipTable) -> dict[str, dict[str, str]]:
        """recorded modality -> lighting -> what a store of the videos is made from."""
        if not self.clip_store:
            return {}
        return {
            name: {lighting: source_hash(clips, name) for lighting, clips in groups(table.clips, name).items()}
            for name in {RENDERED_FROM.get(name, name) for name in self.modalities}
        }

    def _frame_times(self, sources: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, list | None]]:
        """modality -> clip -> ``window_times`` of its stream, as far as stores have kept them."""
        times: dict[str, dict[str, list | None]] = {name: {} for name in self.modalities}
        for name, known in times.items():
            recorded = RENDERED_FROM.get(name, name)
            for source in sources.get(recorded, {}).values():
                store = next(stores_of(self.clip_store, recorded, source), None)
                known |= store.frame_times if store else {}
            if name in self.stores:
                known |= ClipStore.open(self.stores[name]).frame_times
        return times


def seed_generators(*entropy: int) -> None:
    """Seed the global generators of ``random`` and ``numpy`` by these numbers."""
    first, second = np.random.SeedSequence(entropy).generate_state(2)
    random.seed(int(first))
    np.random.seed(second)


@contextmanager
def same_random_state() -> Iterator[None]:
    """Restore the global generators of ``random`` and ``numpy`` on leaving."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextmanager
def seeded(*entropy: int) -> Iterator[None]:
    """Seed the global generators of ``random`` and ``numpy`` by these numbers, and restore them on leaving."""
    with same_random_state():
        seed_generators(*entropy)
        yield
