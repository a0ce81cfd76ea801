"""What the clip stores of a plan take on the disk, raw and compressed, with data at hand or without."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.data.registry import clips_of_config, of_config
from harness.data.store.cache import loaded_size, store_specs
from harness.data.store.space import MARGIN_BYTES, estimated_bytes
from harness.errors import one_line
from harness.measure.amounts import amount_of
from harness.plan.loaders import dataset_configs
from mtcd_plugin.formats.clips import CHANNELS, RENDERED_FROM

ASSUMED_JPEG_SHARE = 0.25  # of raw bytes, where there is no clip to compress


@dataclass(frozen=True)
class StoreSize:
    """A clip store, or what a job renders: bytes at least and probably, raw; probably, as ``jpeg`` (a rendering is raw
    always). ``measured``: of the clips at hand.
    """

    name: str
    raw: tuple[int, int]
    jpeg: int
    measured: bool


@dataclass(frozen=True)
class Sizes:
    """All of them, and the room that there is. ``unknown``: folder of a data set that cannot be read -> why."""

    stores: tuple[StoreSize, ...]
    free: int
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> tuple[int, int]:
        return sum(s.raw[0] for s in self.stores), sum(s.raw[1] for s in self.stores)

    @property
    def jpeg(self) -> int:
        return sum(s.jpeg for s in self.stores)

    @property
    def codec(self) -> str:
        """``raw`` where that fits, ``jpeg`` where that does, "" where neither does."""
        room = self.free - MARGIN_BYTES
        return "raw" if self.raw[1] <= room else "jpeg" if self.jpeg <= room else ""


def store_sizes(configs: Iterable[dict[str, Any]], work_dir: Path) -> Sizes:
    """The stores that resolved configs read (placed where their data are), and those that they render."""
    found: dict[str, StoreSize] = {}
    unknown: dict[str, str] = {}
    for config in configs:
        for dataset in dataset_configs(config).values():
            if clips_of_config(dataset) is None or loaded_size(dataset) is None:
                continue
            try:
                stores = list(_stores(config, dataset))
            except (ValueError, OSError) as e:
                unknown.setdefault(str(dataset.get("data_root", "")), one_line(e))
                continue
            for store in stores:
                found.setdefault(store.name, store)
    return Sizes(tuple(found.values()), shutil.disk_usage(_existing(work_dir)).free, unknown)


def _stores(config: dict[str, Any], dataset: dict[str, Any]) -> Iterator[StoreSize]:
    """Of one of a config's data sets. Raises as ``amount_of``."""
    there = Path(str(dataset.get("data_root", ""))).is_dir()
    yield from _at_hand(dataset) if there else _as_published(dataset)
    if config.get("train_cfg") is None:
        yield from _rendered(config, dataset, there)


def _at_hand(dataset: dict[str, Any]) -> Iterator[StoreSize]:
    for spec in store_specs([dataset], Path("."), "jpeg"):
        name = f"{spec.origin} {spec.modality} {spec.size[0]}x{spec.size[1]}"
        yield StoreSize(name, (spec.raw_bytes, spec.raw_bytes), estimated_bytes(spec), True)


def _as_published(dataset: dict[str, Any]) -> Iterator[StoreSize]:
    """A store holds all clips of its data set and lighting, whatever split the config reads."""
    width, height = loaded_size(dataset) or (0, 0)
    title = getattr(of_config(dataset), "title", "")
    own = dataset.get("lighting")
    lightings = ("dark", "daylight") if own == "both" else (own,) if own else ("",)
    for modality in dataset.get("modalities") or ("rgb",):
        if modality in (dataset.get("stores") or {}) or modality in RENDERED_FROM:
            continue
        for lighting in lightings:
            amount = amount_of({**dataset, "split": "all", "lighting": lighting})
            frame = width * height * CHANNELS.get(modality, 1)
            raw = (amount.frames[0] * frame, amount.frames[1] * frame)
            name = f"{title} {lighting}".strip() + f" {modality} {width}x{height}"
            yield StoreSize(name, raw, int(raw[1] * ASSUMED_JPEG_SHARE), False)


def _rendered(config: dict[str, Any], dataset: dict[str, Any], measured: bool) -> Iterator[StoreSize]:
    """What a rendering leaves: a frame beside each of RGB, of one channel, or of two for optical flow."""
    if not any(t.get("clip_len", 1) is None for t in dataset.get("pipeline", ())):
        return
    width, height = loaded_size(dataset) or (0, 0)
    flow = config["model"].get("type") == "OpticalFlow"
    frame = width * height * CHANNELS.get("flow" if flow else "pseudo_ir", 1)
    frames = amount_of(dataset).frames
    title = f"{getattr(of_config(dataset), 'title', '')} {dataset.get('lighting') or ''}".strip()
    name = f"{title} {'flow' if flow else 'pseudo_ir'} {width}x{height}, rendered"
    yield StoreSize(name, (frames[0] * frame, frames[1] * frame), frames[1] * frame, measured)


def _existing(path: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
