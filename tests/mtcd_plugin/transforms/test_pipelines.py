"""The transforms together: whatever the pipeline, all modalities show the same instants and the same pixels."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.datasets.clip_dataset import seeded
from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
from mtcd_plugin.formats.clips import Stream

CONFIGS = Path(__file__).parents[3] / "mm_configs"
SIZE, CROP, FRAMES = 24, 16, 20
OF_RGB = {  # modality B = f(A), pixel by pixel, on uint8 arrays with channels at the given axis
    "depth": lambda rgb, axis: np.take(rgb, [1], axis),
    "ir": lambda rgb, axis: 255 - np.take(rgb, [0], axis),
    "pseudo_ir": lambda rgb, axis: np.take(rgb, [2], axis) // 2,
    "flow": lambda rgb, axis: 255 - np.take(rgb, [2, 1], axis),
}


@cache
def pipelines_of_all_configs():
    """Every distinct pipeline of a loader of clips in mm_configs, made small."""
    found = {}
    for path in sorted(CONFIGS.glob("*/*.py")):
        if path.parent.name == "_base_":
            continue
        cfg = Config.fromfile(str(path), import_custom_modules=False)
        for loader in ("train_dataloader", "val_dataloader", "test_dataloader"):
            steps = ((cfg.get(loader) or {}).get("dataset") or {}).get("pipeline") or []
            if not any(step["type"] == "LoadModalities" for step in steps):
                continue
            small = [dict(step) for step in steps]
            for step in small:
                step.update(
                    {
                        "SampleClipFrames": {"clip_len": step.get("clip_len") and 5},
                        "LoadModalities": {"size": (SIZE, SIZE)},
                        "RandomCrop": {"size": CROP},
                        "CenterCrop": {"crop_size": CROP},
                    }.get(step["type"], {})
                )
            found.setdefault(json.dumps(small), f"{path.stem}:{loader}")
    for name, spatial in {
        "flip": [dict(type="Flip", flip_ratio=0.5)],
        "resized": [dict(type="RandomResizedCrop"), dict(type="Flip", flip_ratio=0.5)],
        "three crops": [dict(type="ThreeCrop", crop_size=(16, 24))],
    }.items():
        steps = [
            dict(type="SampleClipFrames", clip_len=5),
            dict(type="LoadModalities", size=(SIZE, SIZE)),
            *spatial,
            dict(type="SplitModalities"),
            dict(type="PackClip"),
        ]
        found[json.dumps(steps)] = name
    return [pytest.param(json.loads(steps), id=name) for steps, name in found.items()]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A clip of random pixels whose other modalities are functions of rgb."""
    folder = tmp_path_factory.mktemp("stores")
    rgb = np.random.default_rng(0).integers(0, 256, (FRAMES, SIZE, SIZE, 3), np.uint8)
    clips = {"rgb": rgb} | {name: function(rgb, 3) for name, function in OF_RGB.items()}
    for name, frames in clips.items():
        with ClipStoreWriter(folder / name, name, (SIZE, SIZE)) as writer:
            writer.add("clip", frames)
    return {name: str(folder / name) for name in clips}


def run(pipeline, stores, modalities, seed):
    sample = {
        "clip_id": "clip",
        "subject": "s",
        "label": 1,
        "stores": stores,
        "modality": "RGB",
        "streams": {name: Stream("unused", 0, FRAMES, 25.0) for name in modalities},
        "frame_times": dict.fromkeys(modalities),
    }
    with seeded(seed):
        return pipeline(sample)["inputs"]


@pytest.mark.parametrize("steps", pipelines_of_all_configs())
def test_a_function_of_a_modality_stays_that_function(steps, stores):
    torch.set_num_threads(1)
    init_default_scope("mmaction")
    pipeline = Compose(steps)
    names = list(stores)
    seen = set()
    for seed in range(200):
        inputs = run(pipeline, stores, names, seed)
        rgb = inputs["rgb"].numpy()
        seen.add(rgb.tobytes())
        for name, function in OF_RGB.items():
            np.testing.assert_array_equal(inputs[name].numpy(), function(rgb, 1))
    draws = not any(step.get("test_mode") for step in steps) and steps[0]["clip_len"]
    assert (len(seen) > 100) if draws else (len(seen) == 1)


def test_a_sampled_clip_has_what_stock_transforms_read():
    for clip_len, frames in ((5, 5), (None, FRAMES)):
        sample = {"streams": {"rgb": Stream("unused", 0, FRAMES, 25.0)}, "frame_times": {"rgb": None}}
        sampled = Compose([dict(type="SampleClipFrames", clip_len=clip_len, test_mode=True)])(sample)
        assert (sampled["clip_len"], sampled["num_clips"]) == (frames, 1)
        assert len(sampled["frame_inds"]["rgb"]) == frames


def test_there_are_configs_to_test():
    assert any(":train_dataloader" in case.id for case in pipelines_of_all_configs())


def test_one_modality_gives_a_tensor_and_equals_the_same_in_company(stores):
    init_default_scope("mmaction")
    pipeline = Compose(
        [
            dict(type="SampleClipFrames", clip_len=5),
            dict(type="LoadModalities", size=(SIZE, SIZE)),
            dict(type="RandomCrop", size=CROP),
            dict(type="SplitModalities"),
            dict(type="PackClip"),
        ]
    )
    alone = run(pipeline, stores, ["ir"], 3)
    together = run(pipeline, stores, ["rgb", "ir"], 3)
    assert alone.dtype == torch.uint8 and alone.shape == (1, 1, 5, CROP, CROP)
    assert together["rgb"].shape == (1, 3, 5, CROP, CROP)
    torch.testing.assert_close(alone, together["ir"], rtol=0, atol=0)


def test_the_centre_crop_of_the_centre_frames_is_the_closed_form(stores):
    init_default_scope("mmaction")
    pipeline = Compose(
        [
            dict(type="SampleClipFrames", clip_len=4, test_mode=True),
            dict(type="LoadModalities", size=(SIZE, SIZE)),
            dict(type="CenterCrop", crop_size=CROP),
            dict(type="SplitModalities"),
            dict(type="PackClip"),
        ]
    )
    rgb = np.random.default_rng(0).integers(0, 256, (FRAMES, SIZE, SIZE, 3), np.uint8)
    positions = [2, 7, 12, 17]  # (k + 1/2) 19 / 4 = 2.375, 7.125, 11.875, 16.625
    edge = (SIZE - CROP) // 2
    expected = rgb[positions, edge : edge + CROP, edge : edge + CROP].transpose(3, 0, 1, 2)[None]
    np.testing.assert_array_equal(run(pipeline, stores, ["rgb"], 0).numpy(), expected)


def test_every_frame_can_be_had_for_rendering(stores):
    init_default_scope("mmaction")
    pipeline = Compose(
        [
            dict(type="SampleClipFrames", clip_len=None),
            dict(type="LoadModalities", size=(SIZE, SIZE)),
            dict(type="SplitModalities"),
            dict(type="PackClip"),
        ]
    )
    rgb = np.random.default_rng(0).integers(0, 256, (FRAMES, SIZE, SIZE, 3), np.uint8)
    np.testing.assert_array_equal(run(pipeline, stores, ["rgb"], 0).numpy()[0], rgb.transpose(3, 0, 1, 2))


def test_a_store_of_another_size_is_resized(stores):
    init_default_scope("mmaction")
    pipeline = Compose(
        [
            dict(type="SampleClipFrames", clip_len=3),
            dict(type="LoadModalities", size=(12, 10)),
            dict(type="SplitModalities"),
            dict(type="PackClip"),
        ]
    )
    assert run(pipeline, stores, ["rgb"], 0).shape == (1, 3, 3, 10, 12)


@pytest.mark.parametrize(
    "step",
    [
        dict(type="SampleClipFrames", clip_len=0),
        dict(type="LoadModalities", size=(0, 8)),
        dict(type="LoadModalities", size=8),
    ],
)
def test_bad_arguments_are_one_line(step):
    init_default_scope("mmaction")
    with pytest.raises(ValueError, match=step["type"]) as caught:
        Compose([step])
    assert "\n" not in str(caught.value)
