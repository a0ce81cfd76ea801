"""The synthetic SYSU-MM01, read back with the reader of the real one."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.data.registry import data_set
from harness.data.synthesize import synthesize, sysu_mm01
from mtcd_plugin.formats.sysu import read_sysu_mm01


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return synthesize(tmp_path_factory.mktemp("data"), ["sysu_mm01"], "smoke", seed=3, jobs=1)["sysu_mm01"]


def _pixels(image) -> np.ndarray:
    return np.asarray(Image.open(image.path).convert("RGB")).astype(int)


def test_reader_finds_the_people(root):
    images = read_sysu_mm01(str(root))
    people = {split: {i.pid for i in images if i.split == split} for split in ("train", "test")}
    assert people == {"train": {1, 2, 3, 4, 5, 6}, "test": {7, 8}}
    assert set(Counter((i.pid, i.cam) for i in images).values()) == {2}
    assert {i.cam for i in images if i.infrared} == {3, 6}
    assert {i.cam for i in images if i.pid == 5} == {1, 2, 3, 4, 6}  # not everybody was everywhere
    for image in images:  # as the published code takes them from the path
        assert int(image.path[-13:-9]) == image.pid and int(image.path[-15]) == image.cam
    for person in people["train"] | people["test"]:
        assert {i.infrared for i in images if i.pid == person} == {True, False}


def test_images_of_this_version():
    """Networks were trained on them: whoever changes them gives the set another version."""
    assert data_set("sysu_mm01").generator_version == "2.0"
    means = {cam: sysu_mm01.render_image(1, cam, 1, 0).mean() for cam in (1, 3, 4, 6)}
    assert means == pytest.approx({1: 119.721, 3: 111.287, 4: 144.102, 6: 124.815}, abs=0.005)


def test_files(root):
    assert re.fullmatch(r"\d+(,\d+)*\n", (root / "exp" / "train_id.txt").read_text())
    about = json.loads((root / "dataset.json").read_text())
    images = read_sysu_mm01(str(root))
    assert about["synthetic"] is True and about["people"] == 8
    assert about["images_rgb"] + about["images_infrared"] == len(images)
    assert about["images_infrared"] == sum(i.infrared for i in images)


def test_infrared_is_gray_and_colour_is_not(root):
    for image in read_sysu_mm01(str(root)):
        pixels = _pixels(image)
        assert pixels.shape == (96, 48, 3)
        spread = (pixels.max(2) - pixels.min(2)).mean()
        assert spread < 1 if image.infrared else spread > 3, image.path


def test_a_person_looks_alike_in_the_colour_cameras(root):
    """The colour of the chest tells people apart, as it does in the real set."""
    chests: dict[int, list[np.ndarray]] = {}
    for image in read_sysu_mm01(str(root)):
        if not image.infrared:
            colour = _pixels(image)[28:42, 19:29].reshape(-1, 3).mean(0)
            chests.setdefault(image.pid, []).append(colour / colour.sum())
    means = {pid: np.mean(c, 0) for pid, c in chests.items()}
    within = np.mean([np.linalg.norm(c - means[pid]) for pid, cs in chests.items() for c in cs])
    between = np.mean([np.linalg.norm(a - b) for a in means.values() for b in means.values() if a is not b])
    assert between > 1.5 * within


def test_same_bytes_again_and_only_what_is_missing(root, tmp_path):
    person = sysu_mm01.plan(3, "smoke")[2]
    sysu_mm01.write_take(tmp_path, person, 3, "smoke")
    files = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*.jpg"))
    assert len(files) == 12
    assert all((tmp_path / f).read_bytes() == (root / f).read_bytes() for f in files)
    (tmp_path / files[0]).unlink()
    kept = (tmp_path / files[1]).stat().st_mtime_ns
    sysu_mm01.write_take(tmp_path, person, 3, "smoke")
    assert (tmp_path / files[0]).read_bytes() == (root / files[0]).read_bytes()
    assert (tmp_path / files[1]).stat().st_mtime_ns == kept
    assert not [p for p in Path(tmp_path).rglob(".*")]


def test_preset_of_the_demonstration():
    people = sysu_mm01.plan(0, "demo")
    assert Counter(p.split for p in people) == {"train": 18, "val": 2, "test": 4}
    assert len({p.pid for p in people}) == 24
