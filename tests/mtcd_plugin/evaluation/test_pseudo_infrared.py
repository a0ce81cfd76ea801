"""The pseudo-infrared store and its measures."""

import json

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.evaluation.pseudo_infrared import liveliness, quality, strip
from mtcd_plugin.formats.clip_store import ClipStore, StoreError


def clip(seed, frames=6, channels=1):
    return np.random.default_rng(seed).integers(0, 256, (frames, 32, 32, channels), dtype=np.uint8)


def tensor(frames):
    return torch.from_numpy(frames).permute(3, 0, 1, 2)[None]


def test_store_and_strips(tmp_path):
    metric = METRICS.build(dict(type="mmaction.PseudoInfraredStore", output_dir=str(tmp_path / "store"), strips=1))
    for i in range(2):
        sample = ActionDataSample(metainfo=dict(clip_id=f"c{i}"))
        sample.set_field(tensor(clip(i)), "pseudo_ir", dtype=torch.Tensor)
        inputs = dict(rgb=[tensor(clip(10 + i, channels=3))], ir=[tensor(clip(20 + i))])
        metric.process(dict(inputs=inputs), [sample.to_dict()])
    measured = metric.evaluate(2)
    store = ClipStore.open(tmp_path / "store")
    assert np.array_equal(store.clip("c1"), clip(1)) and not store.verify()
    assert len(list((tmp_path / "strips").glob("*.png"))) == 1
    expected = [quality(clip(10 + i, channels=3), clip(i), clip(20 + i)) for i in range(2)]
    for name in expected[0]:
        assert measured[f"pseudo_ir/{name}"] == pytest.approx(np.mean([row[name] for row in expected]))


def test_a_second_rendering_does_not_go_to_the_same_folder(tmp_path):
    metric = METRICS.build(dict(type="mmaction.PseudoInfraredStore", output_dir=str(tmp_path / "store"), strips=0))
    sample = ActionDataSample(metainfo=dict(clip_id="c"))
    sample.set_field(tensor(clip(0)), "pseudo_ir", dtype=torch.Tensor)
    data = dict(inputs=dict(rgb=[tensor(clip(1, channels=3))]))
    metric.process(data, [sample.to_dict()])
    metric.evaluate(1)
    with pytest.raises(StoreError, match="exists already"):
        metric.process(data, [sample.to_dict()])


def test_clips_of_the_test_split_are_measured_and_shown_and_the_same_whatever_their_order(tmp_path):
    shown = []
    for name, order in (("a", range(6)), ("b", reversed(range(6)))):
        metric = METRICS.build(
            dict(type="mmaction.PseudoInfraredStore", output_dir=str(tmp_path / name / "store"), strips=2)
        )
        for i in order:
            sample = ActionDataSample(metainfo=dict(clip_id=f"c{i}", split="test" if i % 2 else "train"))
            sample.set_field(tensor(clip(i)), "pseudo_ir", dtype=torch.Tensor)
            inputs = dict(rgb=[tensor(clip(10 + i, channels=3))], ir=[tensor(clip(20 + i))])
            metric.process(dict(inputs=inputs), [sample.to_dict()])
        measured = metric.evaluate(6)
        rows = [quality(clip(10 + i, channels=3), clip(i), clip(20 + i)) for i in (1, 3, 5)]
        assert measured["pseudo_ir/ir_distance"] == pytest.approx(np.mean([row["ir_distance"] for row in rows]))
        shown.append(json.loads((tmp_path / name / "strips" / "index.json").read_text()))
        files = [s["file"] for s in shown[-1]]
        assert sorted(files) == sorted(p.name for p in (tmp_path / name / "strips").glob("*.png"))
    assert shown[0] == shown[1] and len(files) == 2 and set(files) < {"c1.png", "c3.png", "c5.png"}


def test_strip_has_a_row_for_each_picture():
    dark = (clip(0, channels=3) // 16).astype(np.uint8)
    image, rows = strip(dark, clip(1), clip(2), columns=3)
    assert rows == ["RGB", "brightened RGB", "pseudo-infrared", "infrared"]
    assert image.shape == (4 * 32, 3 * 32, 3)
    assert np.array_equal(image[:32, :32], dark[0]) and image[32:64].mean() > 3 * image[:32].mean()
    assert np.array_equal(image[96:, 64:, 0], clip(2)[-1, ..., 0])
    for nothing in (None, np.zeros_like(clip(1))):
        image, rows = strip(dark, clip(1), nothing)
        assert len(image) == 96 and rows == ["RGB", "brightened RGB", "pseudo-infrared"]
    large = [np.repeat(np.repeat(x, 6, axis=1), 6, axis=2) for x in (dark, clip(1), clip(2))]
    assert strip(*large, columns=2)[0].shape == (4 * 128, 2 * 128, 3)


def test_measures():
    rgb, infrared = clip(0, channels=3), clip(1)
    same = quality(rgb, infrared, infrared)
    assert same["ir_correlation"] == pytest.approx(1) and same["ir_distance"] == same["ir_histogram"] == 0
    assert quality(rgb, 255 - infrared, infrared)["ir_correlation"] == pytest.approx(-1, abs=0.02)
    assert "ir_correlation" not in quality(rgb, infrared, np.zeros_like(infrared))
    still = np.repeat(infrared[:1], 6, axis=0)
    assert quality(rgb, still, None) == {"flicker": 0.0}
    slow = np.concatenate([np.repeat(rgb[:1], 5, axis=0), rgb[1:2]])
    assert 0 < liveliness(slow) < 1 and quality(slow, still, None) == {"flicker": 0.0}
    black, white = np.zeros_like(infrared), np.full_like(infrared, 255)
    white[0, 0, 0] = 254
    assert quality(rgb, black, white)["ir_histogram"] == pytest.approx(1, abs=1e-3)


def test_liveliness_by_hand():
    """Two frames of 0 and 2: every pixel moves by 2, the standard deviation is 1."""
    two = np.stack([np.zeros((2, 2, 1), np.uint8), np.full((2, 2, 1), 2, np.uint8)])
    assert liveliness(two) == 2.0
