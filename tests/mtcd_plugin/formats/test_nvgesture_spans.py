"""Spans of gestures: the file, and the progress that sampled frames of any stream get from it."""

import json
import shutil

import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from harness.data.clips import forget, select
from harness.ledger.identity import identity_config
from harness.plan.data import describe_data
from mtcd_plugin.formats.nvgesture import read_nvgesture
from mtcd_plugin.transforms.gesture_progress import progress

PIPELINE = [
    dict(type="SampleClipFrames", clip_len=8),
    dict(type="GestureProgress"),
    dict(type="LoadModalities", size=(32, 24)),
    dict(type="SplitModalities"),
    dict(type="PackClip"),
]
CLIP = "class_01/subject3_r0"  # colour window [20, 100) at 30 frames/s


def write(path, spans):
    rows = [{"video_path": clip, "gesture_id": 1, "gesture_spans": texts} for clip, texts in spans.items()]
    path.write_text(json.dumps(rows))
    return str(path)


def dataset(root, spans, modality="rgb", pipeline=PIPELINE, **changes):
    init_default_scope("mmaction")
    return DATASETS.build(
        dict(
            type="mmaction.NvGestureDataset",
            data_root=str(root),
            pipeline=pipeline,
            modalities=[modality],
            spans=spans,
            **changes,
        )
    )


def test_training_clips_have_the_spans_of_the_file(nvgesture_root, tmp_path):
    file = write(tmp_path / "spans.json", {CLIP: ["70:90", "30:50"]})
    clips = {clip.clip_id: clip for clip in read_nvgesture(str(nvgesture_root), spans=file).clips}
    assert clips[CLIP].spans == ((30, 50), (70, 90))
    assert all(not clip.spans for name, clip in clips.items() if name != CLIP)


@pytest.mark.parametrize(("modality", "rate"), [("rgb", 30), ("depth", 30), ("ir", 35)])
def test_frames_of_every_stream_are_placed_by_time(nvgesture_root, tmp_path, modality, rate):
    """By the logs of the tiny set frame i of a stream of r frames/s is taken at i / r; infrared begins 50 ms later."""
    file = write(tmp_path / "spans.json", {CLIP: ["40:70"]})
    data = dataset(nvgesture_root, file, modality)
    sample = next(s for s in data.data_list if s["clip_id"] == CLIP)
    frames = data.pipeline.transforms[0]({**sample, "stores": {}})
    frames["frame_inds"] = {modality: np.arange(sample["streams"][modality].frames)}
    given = data.pipeline.transforms[1](frames)["progress"]
    seconds = (sample["streams"][modality].start + np.arange(len(given))) / rate + 0.05 * (modality == "ir")
    share = (seconds - 40 / 30) / (30 / 30)
    inside = (share > -1e-6) & (share < 1 + 1e-6)
    np.testing.assert_array_equal(np.isfinite(given), inside)
    np.testing.assert_allclose(given[inside], share[inside], atol=1e-5)
    assert 28 <= inside.sum() <= 37 and not inside.all()


def test_without_a_log_time_counts_from_the_windows_start(nvgesture_root, tmp_path):
    root = tmp_path / "nv"
    shutil.copytree(nvgesture_root, root)
    (root / "Video_data" / CLIP / "sk_color_log.txt").unlink()
    data = dataset(root, write(tmp_path / "spans.json", {CLIP: ["20:99"]}), "depth")
    sample = next(s for s in data.data_list if s["clip_id"] == CLIP)
    frames = data.pipeline.transforms[0]({**sample, "stores": {}})
    frames["frame_inds"] = {"depth": np.array([0, 40, 79])}
    given = data.pipeline.transforms[1](frames)["progress"]
    np.testing.assert_allclose(given, [0, 40 / 79, 1], atol=1e-6)


def test_without_a_span_the_clip_is_the_gesture(nvgesture_root):
    data = dataset(nvgesture_root, "")
    sample = data[0]["data_samples"]
    given = sample.metainfo["progress"]
    assert given.shape == (8,) and given.dtype == np.float32
    assert (np.diff(given) > 0).all() and 0 <= given[0] < 1 / 7 and 6 / 7 < given[-1] <= 1


def test_spans_beyond_the_window_go_on_at_the_frame_rate(nvgesture_root, tmp_path):
    """The gesture began 20 frames before the window and ends within it: its first frame is a quarter through."""
    data = dataset(nvgesture_root, write(tmp_path / "spans.json", {CLIP: ["0:80"]}))
    sample = next(s for s in data.data_list if s["clip_id"] == CLIP)
    frames = data.pipeline.transforms[0]({**sample, "stores": {}})
    frames["frame_inds"] = {"rgb": np.array([0, 60, 61])}
    given = data.pipeline.transforms[1](frames)["progress"]
    np.testing.assert_allclose(given, [0.25, 1.0, np.nan], atol=1e-5)


def test_progress_by_hand():
    out = progress(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), [(1.0, 3.0), (4.5, 5.0)])
    np.testing.assert_array_equal(out, np.array([np.nan, 0, 0.5, 1, np.nan, 1], np.float32))


def test_clips_that_the_file_lacks_are_said(nvgesture_root, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("mtcd_plugin.datasets.nvgesture_dataset.print_log", lambda text, **_: said.append(text))
    dataset(nvgesture_root, write(tmp_path / "spans.json", {CLIP: ["30:50"]}))
    assert len(said) == 1 and "2 of 3 clips have no span" in said[0]


def test_the_spans_count_and_not_where_they_lie(nvgesture_root, tmp_path):
    """A run's key has the fingerprint of the clips, and no path."""
    base = {"type": "NvGestureDataset", "data_root": str(nvgesture_root), "split": "train", "modalities": ["rgb"]}
    files = [write(tmp_path / name, {CLIP: [span]}) for name, span in (("a", "30:50"), ("b", "30:50"), ("c", "30:51"))]
    forget()
    prints = [select({**base, "spans": file}).fingerprint for file in [*files, ""]]
    assert prints[0] == prints[1] and len(set(prints)) == 3
    configs = [identity_config({"train_dataloader": {"dataset": {**base, "spans": f}}}, "demo") for f in files]
    assert configs[0] == configs[2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[", "not valid JSON"),
        ('{"class_01": 1}', "expected a list of objects"),
        ('[{"video_path": "class_01/subject3_r0"}]', "entry 0 is not of the form"),
        ('[{"video_path": "class_01/subject3_r0", "gesture_spans": ["50:30"]}]', "span '50:30' is not first:last"),
        ('[{"video_path": "class_01/subject3_r0", "gesture_spans": [[1, 2]]}]', r"span \[1, 2\] is not first:last"),
        ('[{"video_path": "class_01/subject3_r0", "gesture_spans": ["1:5", "4:9"]}]', "overlap"),
        ('[{"video_path": "x", "gesture_spans": ["1:5"]}, {"video_path": "x", "gesture_spans": ["1:5"]}]', "twice"),
        ('[{"video_path": "class_01/subject5_r0", "gesture_spans": ["1:5"]}]', "is a test clip; give the spans of the"),
        ('[{"video_path": "class_09/subject9_r9", "gesture_spans": ["1:5"]}]', "is no clip of the lists"),
    ],
)
def test_a_wrong_file_is_one_line(nvgesture_root, tmp_path, content, words):
    (tmp_path / "spans.json").write_text(content)
    with pytest.raises(ValueError, match=words) as caught:
        read_nvgesture(str(nvgesture_root), spans=str(tmp_path / "spans.json"))
    assert "spans.json (gesture spans)" in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_is_one_line_and_stops_the_plan(nvgesture_root):
    with pytest.raises(FileNotFoundError, match=r"nowhere.json \(gesture spans\): No such file"):
        dataset(nvgesture_root, "nowhere.json")
    config = {"type": "NvGestureDataset", "data_root": str(nvgesture_root), "spans": "nowhere.json"}
    with pytest.raises(FileNotFoundError, match=r"nowhere.json \(gesture spans\): No such file"):
        describe_data({"train_dataloader": {"dataset": config}})


def test_spans_that_would_have_no_effect_are_refused(nvgesture_root, tmp_path):
    file = write(tmp_path / "spans.json", {CLIP: ["30:50"]})
    with pytest.raises(ValueError, match="has no effect: no GestureProgress"):
        dataset(nvgesture_root, file, pipeline=[s for s in PIPELINE if s["type"] != "GestureProgress"])
    with pytest.raises(ValueError, match="split 'test' has none"):
        dataset(nvgesture_root, file, split="test")
    with pytest.raises(ValueError, match="has no rgb stream, in whose frames"):
        read_nvgesture(str(nvgesture_root), {"depth": "sk_depth"}, spans=file)
