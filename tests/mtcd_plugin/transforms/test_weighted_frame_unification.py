"""Frames by motion: which ones are kept of made clips, for every modality alike, in training and in testing."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.datasets.clip_dataset import seeded
from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.transforms.sample_clip_frames import SampleClipFrames
from mtcd_plugin.transforms.weighted_frame_unification import WeightedFrameUnification, cumulative_motion


def loaded(levels, **others):
    """What LoadModalities leaves of a clip of plain grey frames, and of further modalities."""
    clips = {"rgb": levels, **others}
    images, slices = [], {}
    for name, values in clips.items():
        slices[name] = (len(images), len(images) + len(values))
        images += [np.full((6, 8, 3 if name == "rgb" else 1), v, np.uint8) for v in values]
    inds = {name: np.arange(100, 100 + len(levels)) for name in clips if name != "missing"}
    return {"imgs": images, "modality_slices": slices, "frame_inds": inds, "clip_len": len(levels)}


def kept(levels, clip_len, **arguments):
    """Positions of the frames that are kept."""
    out = WeightedFrameUnification(clip_len, test_mode=True, **arguments)(loaded(levels))
    return list(out["frame_inds"]["rgb"] - 100)


@pytest.mark.parametrize("clip_len", [4, 6, 16, 32])
@pytest.mark.parametrize("step", [0, 5])
def test_even_motion_keeps_the_frames_of_uniform_sampling(step, clip_len):
    """Of a clip that moves evenly, and of one that stands still."""
    sample = {"streams": {"rgb": Stream("unused", 0, 20, 25.0)}, "frame_times": {"rgb": None}}
    uniform = SampleClipFrames(clip_len, test_mode=True)(sample)["frame_inds"]["rgb"]
    assert kept([i * step for i in range(20)], clip_len) == list(uniform)


def test_more_frames_are_kept_where_more_moves():
    """Ten frames of rest, ten of motion, ten of rest: the share of motion is 9.1 of 12.0 steps."""
    levels = [0] * 10 + [20 * i for i in range(1, 11)] + [200] * 10
    taken = kept(levels, 24)
    assert sum(9 <= i <= 19 for i in taken) == pytest.approx(24 * (10 + 10 / 29) / (10 + 29 * 0.1 * 10 / 29), abs=1.5)
    assert taken == sorted(taken) and min(taken) < 9 and max(taken) > 20, "rests keep some"
    assert sum(9 <= i <= 19 for i in kept(levels, 24, floor=100.0)) == 24 * 10 // 29 + 1, "evenly in the end"


def test_the_sum_of_motion_is_that_of_the_definition():
    frames = [np.random.default_rng(i).integers(0, 256, (5, 7, 1), np.uint8) for i in range(6)]
    motion = [np.abs(a.astype(int) - b.astype(int)).mean() for a, b in zip(frames, frames[1:], strict=False)]
    expected = [sum(m + 0.1 * np.mean(motion) for m in motion[:n]) for n in range(6)]
    np.testing.assert_allclose(cumulative_motion(frames, 0.1), expected)


@pytest.mark.parametrize("levels", [[7], [7, 9]])
def test_a_clip_of_one_or_two_frames_repeats_them(levels):
    out = WeightedFrameUnification(4, test_mode=True)(loaded(levels))
    assert [int(x[0, 0, 0]) for x in out["imgs"]] == [levels[0]] * 2 + [levels[-1]] * 2
    assert out["clip_len"] == 4
    out["imgs"][0][:] = 99
    assert out["imgs"][1][0, 0, 0] == levels[0], "no frame is written to twice"


def test_all_modalities_keep_the_same_instants():
    levels = [0, 0, 0, 50, 100, 150, 150, 150]
    data = loaded(levels, depth=list(range(8)), missing=[0] * 8)
    out = WeightedFrameUnification(3, test_mode=True)(data)
    assert out["modality_slices"] == {"rgb": (0, 3), "depth": (3, 6), "missing": (6, 9)} and len(out["imgs"]) == 9
    taken = list(out["frame_inds"]["rgb"] - 100)
    assert [int(x[0, 0, 0]) for x in out["imgs"]] == [levels[i] for i in taken] + taken + [0] * 3
    assert list(out["frame_inds"]["depth"]) == list(out["frame_inds"]["rgb"])


def test_it_works_within_a_pipeline_and_draws_in_training_alone(tmp_path):
    init_default_scope("mmaction")
    frames = np.random.default_rng(0).integers(0, 256, (20, 24, 24, 1), np.uint8)
    with ClipStoreWriter(tmp_path / "depth", "depth", (24, 24)) as writer:
        writer.add("clip", frames)

    def run(test_mode, seed):
        pipeline = Compose(
            [
                dict(type="SampleClipFrames", clip_len=None),
                dict(type="LoadModalities", size=(24, 24)),
                dict(type="WeightedFrameUnification", clip_len=6, test_mode=test_mode),
                dict(type="CenterCrop", crop_size=16),
                dict(type="SplitModalities"),
                dict(type="PackClip"),
            ]
        )
        with seeded(seed):
            return pipeline(
                {
                    "clip_id": "clip",
                    "subject": "s",
                    "label": 1,
                    "stores": {"depth": str(tmp_path / "depth")},
                    "streams": {"depth": Stream("unused", 0, 20, 25.0)},
                    "frame_times": {"depth": None},
                }
            )["inputs"]

    assert run(True, 1).shape == (1, 1, 6, 16, 16)
    assert torch.equal(run(True, 1), run(True, 2)) and torch.equal(run(False, 1), run(False, 1))
    assert len({run(False, seed).numpy().tobytes() for seed in range(8)}) > 4


@pytest.mark.parametrize(
    ("arguments", "words"), [({"clip_len": 0}, "clip_len=0 must be at least 1"), ({"floor": 0.0}, "floor=0.0 must be")]
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        WeightedFrameUnification(**arguments)
