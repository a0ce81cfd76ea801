"""SYSU-MM01 images and PK batches, on a tiny copy of its layout."""

import collections
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATA_SAMPLERS, DATASETS

import mtcd_plugin.register  # noqa: F401
from tests.helpers.tiny_data import huge_png

PEOPLE = {1: (1, 3), 2: (1, 2, 3, 6), 5: (4, 6), 7: (1, 3)}  # person -> cameras; 7 is of the test split


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    base = tmp_path_factory.mktemp("sysu_mm01")
    for person, cameras in PEOPLE.items():
        for camera in cameras:
            folder = base / f"cam{camera}" / f"{person:04d}"
            folder.mkdir(parents=True)
            for number in range(2):
                image = np.full((24, 12, 3), 20 * person + camera + 5 * number, np.uint8)
                cv2.imwrite(str(folder / f"{number + 1:04d}.jpg"), image)
    (base / "exp").mkdir()
    for name, people in dict(train_id="1,2", val_id="5", test_id="7").items():
        (base / "exp" / f"{name}.txt").write_text(people + "\n")
    return str(base)


def dataset(root, **options):
    return DATASETS.build(dict(type="mmaction.SYSUMM01Dataset", data_root=root, size=(8, 16), **options))


def test_a_huge_image_is_refused_by_its_header(root, tmp_path):
    copy = Path(shutil.copytree(root, tmp_path / "copy"))
    (copy / "cam1/0001/0001.jpg").write_bytes(huge_png())
    with pytest.raises(ValueError, match=r"cam1/0001/0001.jpg: has more than 16,777,216 pixels; replace or remove it"):
        dataset(str(copy))[0]


@pytest.mark.parametrize(
    ("images", "count", "cameras"), [("rgb", 8, {1, 2, 4}), ("ir", 8, {3, 6}), ("rgb+ir", 16, {1, 2, 3, 4, 6})]
)
def test_images(root, images, count, cameras):
    data = dataset(root, images=images)
    assert len(data) == count
    samples = [data[i] for i in range(count)]
    assert {s["data_samples"].camera for s in samples} == cameras
    assert {(s["data_samples"].person, int(s["data_samples"].gt_label)) for s in samples} == {
        (1, 0),
        (2, 1),
        (5, 2),
    }
    for s in samples:
        infrared = s["data_samples"].camera in (3, 6)
        assert s["inputs"].shape == (1, 1 if infrared else 3, 1, 16, 8) and s["inputs"].dtype == torch.uint8
        assert abs(float(s["inputs"].float().mean()) - 20 * s["data_samples"].person) < 15


def test_infrared_partner_is_drawn_by_seed_and_epoch(root):
    data = dataset(root, with_infrared=True)

    def draw():
        return [float(data[i]["inputs"]["ir"].float().mean()) for i in range(len(data))]

    data.set_epoch(0, 0)
    first, again = draw(), draw()
    data.set_epoch(0, 1)
    assert first == again and first != draw()
    assert data[0]["inputs"]["ir"].shape == (1, 1, 1, 16, 8)


@pytest.mark.parametrize(("split", "people"), [("train", {1, 2, 5}), ("test", {7})])
def test_infrared_partners_are_people_of_the_split(root, split, people):
    """All of them are drawn, nobody of the other split: the grey level says who is seen."""
    data = dataset(root, split=split, with_infrared=True)
    drawn, seen = set(), set()
    for epoch in range(20):
        data.set_epoch(0, epoch)
        for i in range(len(data)):
            sample = data[i]
            level = float(sample["inputs"]["ir"].float().mean())
            drawn.add(min(PEOPLE, key=lambda person: abs(20 * person - level)))
            seen.add(sample["data_samples"].person)
    assert drawn == seen == people


def test_pk_batches(root):
    sampler = DATA_SAMPLERS.build(
        dict(type="mmaction.PKSampler", dataset=dataset(root), identities=2, instances=3, batches=5, seed=1)
    )
    order = list(sampler)
    assert len(order) == len(sampler) == 30
    data = dataset(root)
    for batch in np.array(order).reshape(5, 6):
        counts = collections.Counter(data.get_data_info(int(i))["label"] for i in batch)
        assert sorted(counts.values()) == [3, 3]
    assert order == list(sampler)
    sampler.set_epoch(1)
    assert order != list(sampler)


def test_bad_input(root):
    with pytest.raises(ValueError, match="choose from rgb, ir"):
        dataset(root, images="depth")
    with pytest.raises(ValueError, match="identities=9, but the data have 3"):
        DATA_SAMPLERS.build(dict(type="mmaction.PKSampler", dataset=dataset(root), identities=9))
