"""Heat maps from OpenPose's files, and the check that the files are there."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import json
from types import SimpleNamespace

import numpy as np
import pytest
from mmaction.registry import HOOKS, TRANSFORMS
from mmcv.transforms import Compose
from scipy.ndimage import gaussian_filter

from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.transforms.load_key_points import LoadKeyPoints
from mtcd_plugin.transforms.load_modalities import ClipError


def write(folder, clip_id, frame, people):
    (folder / clip_id).mkdir(parents=True, exist_ok=True)
    (folder / clip_id / f"{frame:012d}_keypoints.json").write_text(json.dumps({"people": people}))


def results(positions=(1, 3, 3), size=(12, 16), start=10):
    frames = [np.full((*size, 1), 7, np.uint8) for _ in positions]
    return {
        "imgs": frames,
        "modality_slices": {"depth": (0, len(frames))},
        "frame_inds": {"depth": np.array(positions)},
        "streams": {"depth": Stream("d.avi", start, start + 5, 30.0)},
        "clip_id": "class_01/a",
    }


def test_maps_are_blurred_points_at_the_frames_that_were_taken(tmp_path):
    people = [{"pose_keypoints_2d": [3.4, 5.6, 0.9, 60, 40, 0], "hand_left_keypoints_2d": [20.5, 30.6, 0.2]}]
    write(tmp_path, "class_01/a", 11, people)
    write(tmp_path, "class_01/a", 13, [])
    load = LoadKeyPoints(str(tmp_path), frame_size=(64, 48), sigma=3)
    out = load(results(size=(48, 64)))
    assert out["modality_slices"] == {"depth": (0, 3), "heatmap": (3, 6)} and len(out["imgs"]) == 6
    points = np.zeros((48, 64))
    points[6, 3] = points[31, 20] = 1  # no point with a confidence of 0; halves go to the even number
    blurred = gaussian_filter(points, 3)  # as the authors call it: mirrored at the border
    blurred = (blurred - blurred.min()) / (blurred.max() - blurred.min())
    np.testing.assert_allclose(out["imgs"][3][..., 0], 255 * blurred, atol=1.5)
    assert all((image == 255).all() for image in out["imgs"][4:]), "nobody was found"
    assert out["imgs"][4] is not out["imgs"][5]


def test_crops_are_those_of_the_frames(tmp_path):
    for frame in range(10, 15):
        write(tmp_path, "class_01/a", frame, [{"pose_keypoints_2d": [40, 10, 1]}])
    pipeline = [dict(type="CenterCrop", crop_size=8), dict(type="SplitModalities"), dict(type="PackClip")]
    load = LoadKeyPoints(str(tmp_path), frame_size=(64, 48), sigma=4)
    out = Compose([load, *(TRANSFORMS.build(step) for step in pipeline)])(
        {**results(), "label": 0, "subject": "s", "img_shape": (12, 16)}
    )
    assert {name: tuple(x.shape) for name, x in out["inputs"].items()} == {
        "depth": (1, 1, 3, 8, 8),
        "heatmap": (1, 1, 3, 8, 8),
    }
    brightest = out["inputs"]["heatmap"][0, 0, 0].numpy()
    y, x = np.unravel_index(brightest.argmax(), brightest.shape)
    assert abs(y - (10 / 4 - 2)) <= 1 and abs(x - (40 / 4 - 4)) <= 1, "a quarter of the size, 2 rows and 4 columns off"


@pytest.mark.parametrize("text", ["", "[1]", '{"people": [{"pose_keypoints_2d": [1, 2]}]}', '{"people": 3}'])
def test_a_malformed_file_is_one_line(tmp_path, text):
    write(tmp_path, "class_01/a", 11, [])
    (tmp_path / "class_01/a" / f"{11:012d}_keypoints.json").write_text(text)
    with pytest.raises(ClipError, match=r"clip class_01/a: .*keypoints.json is not in OpenPose's format"):
        LoadKeyPoints(str(tmp_path))(results(positions=(1,)))


def test_a_file_that_is_missing_is_one_line(tmp_path):
    with pytest.raises(ClipError, match=r"clip class_01/a: no file of key-points .*000000000011_keypoints.json"):
        LoadKeyPoints(str(tmp_path))(results())


class Clips:
    """Two clips, and a pipeline."""

    def __init__(self, *transforms):
        self.pipeline = Compose(list(transforms))

    def __len__(self):
        return 2

    def get_data_info(self, i):
        return {"clip_id": f"c{i}", "streams": {"depth": Stream("d.avi", 4, 6, 30.0)}}


def test_files_are_looked_for_before_training(tmp_path):
    load = LoadKeyPoints(str(tmp_path))
    hook = HOOKS.build(dict(type="KeyPointsHook"))
    runner = SimpleNamespace(train_dataloader=SimpleNamespace(dataset=Clips(load)))
    for clip, frame in (("c0", 4), ("c0", 5), ("c1", 4)):
        write(tmp_path, clip, frame, [])
    with pytest.raises(FileNotFoundError, match=r"1 files of key-points are missing, first .*c1/000000000005_keypoi"):
        hook.before_train(runner)
    write(tmp_path, "c1", 5, [])
    hook.before_train(runner)
    hook.before_train(SimpleNamespace(train_dataloader=SimpleNamespace(dataset=Clips(lambda x: x))))
