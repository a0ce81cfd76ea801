"""What the loader benchmark compares: data sets that read the same clips from videos and from clip stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.bench.clip_set import DATA_SET
from harness.data.registry import data_set

SIZE, CROP, FRAMES = 256, 224, 32  # the paper's protocol
EVERY = ("rgb", "depth", "ir")


def sources(data: Path, stores: dict[str, Path]) -> Iterator[tuple[str, Any, list[Path]]]:
    """Name, dataset (of one clip per item, packed) and the files that it reads."""
    videos = sorted((data / "clips" / "dark" / "rgb").iterdir())
    yield "stock", stock_dataset(videos, data), videos
    yield "video", our_dataset(data), videos
    for codec, store in stores.items():
        yield f"store {codec}", our_dataset(data, store), frame_files(store, ("rgb",))
    yield "store raw rgb+depth+ir", our_dataset(data, stores["raw"], EVERY), frame_files(stores["raw"], EVERY)


def dataset_class() -> str:
    """That of the clip set."""
    return data_set(DATA_SET).dataset_class


def our_dataset(data: Path, store: Path | str = "", modalities=("rgb",), size=SIZE, crop=CROP, frames=FRAMES):
    """The training dataset of ``mm_configs/_base_/datasets``, random instants and crops."""
    from mmaction.registry import DATASETS

    return DATASETS.build(
        dict(
            type=dataset_class(),
            data_root=str(data),
            modalities=list(modalities),
            clip_store=str(store),
            pipeline=[
                dict(type="SampleClipFrames", clip_len=frames),
                dict(type="LoadModalities", size=(size, size)),
                dict(type="RandomCrop", size=crop),
                dict(type="SplitModalities"),
                dict(type="PackClip"),
            ],
        )
    )


def stock_dataset(videos: list[Path], folder: Path, size: int = SIZE, crop: int = CROP, frames: int = FRAMES):
    """MMAction2's own training pipeline on the same files."""
    from mmaction.registry import DATASETS

    lines = folder / "stock.txt"
    lines.write_text("".join(f"{video} 0\n" for video in videos), encoding="utf-8")
    return DATASETS.build(
        dict(
            type="VideoDataset",
            ann_file=str(lines),
            pipeline=[
                dict(type="DecordInit"),
                dict(type="UniformSample", clip_len=frames),
                dict(type="DecordDecode"),
                dict(type="Resize", scale=(size, size), keep_ratio=False),
                dict(type="RandomCrop", size=crop),
                dict(type="FormatShape", input_format="NCTHW"),
                dict(type="PackActionInputs"),
            ],
        )
    )


def specs(data: Path, store: Path, codec: str, modalities, size: int = SIZE):
    """The clip stores that a training on these modalities reads."""
    from harness.data.store.cache import store_specs

    pipeline = [dict(type="LoadModalities", size=(size, size))]
    config = dict(type=dataset_class(), data_root=str(data), modalities=list(modalities), pipeline=pipeline)
    return store_specs([config], store, codec)


def build_stores(data: Path, store: Path, codec: str, modalities, size: int = SIZE) -> None:
    from harness.data.store.cache import build_store

    store.mkdir()
    for spec in specs(data, store, codec, modalities, size):
        build_store(spec, None, 1, lambda _: None)


def frame_files(store: Path, modalities) -> list[Path]:
    return sorted(path for m in modalities for path in store.glob(f"{m}-*/frames.bin"))
