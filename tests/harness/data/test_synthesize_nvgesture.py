"""The synthetic NvGesture, read back with the readers of the real one."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest

from harness.data.registry import data_set
from harness.data.synthesize import build, nvgesture_files, synthesize
from harness.data.synthesize.nvgesture import RELABELLED, SUBJECTS, Take, plan_takes, record, render_take
from harness.data.synthesize.nvgesture_motion import Manner, hand_motion
from mtcd_plugin.formats.nvgesture import CLASSES, STREAMS, read_nvgesture
from mtcd_plugin.formats.video import probe, read_frames

TAKES = [
    Take(1, 4, 2, "train"),  # the folder's class is wrong
    Take(20, 18, 20, "train"),  # depth one frame later
    Take(9, 7, 9, "train"),
    Take(25, 20, 25, "test"),
]
MANNER = Manner((0.0, -0.1, 0.5), 1.0, 2.0, 0.2, 0.2, 0.4, 1.5, 2, (0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nvgesture_files, "plan", lambda seed, preset: TAKES)
        return synthesize(tmp_path_factory.mktemp("data"), ["nvgesture"], "smoke", seed=5, jobs=1)["nvgesture"]


def test_reader_finds_the_clips(root):
    streams = {"rgb": "sk_color", "depth": "sk_depth", "ir": "duo_left"}
    table = read_nvgesture(str(root), streams)
    assert table.synthetic and [c.clip_id for c in table.clips] == [t.clip_id for t in TAKES]
    assert [c.label for c in table.clips] == [1, 19, 8, 24]
    assert [c.split for c in table.clips] == ["train"] * 3 + ["test"]
    for clip in table.clips:
        assert {m: s.frames for m, s in clip.streams.items()} == {"rgb": 80, "depth": 80, "ir": 93}
        for stream in clip.streams.values():
            assert stream.clock == "log"
            info = probe(stream.path)
            assert info.fps == pytest.approx(stream.fps) and info.frames >= stream.end
        begins = [s.times[0] for s in clip.streams.values()]
        assert max(begins) - min(begins) < 0.135  # the largest disagreement in the real set
    offsets = [c.streams["depth"].start - c.streams["rgb"].start for c in table.clips]
    assert offsets == [0, 1, 0, 0]


def test_frames_of_this_version():
    """The light in the car is day's, as it was: whoever changes the frames gives the set another version."""
    assert data_set("nvgesture").generator_version == "2.0"
    means = {stream: frames.mean() for stream, frames in render_take(TAKES[2], 0, 120, (80, 60)).items()}
    assert means == pytest.approx({"sk_color": 96.891, "sk_depth": 67.778, "duo_left": 67.868}, abs=0.005)


def test_every_file_of_a_recording(root):
    for take in TAKES:
        folder = root / "Video_data" / take.clip_id
        logs = [f"{s}_log.txt" for s in STREAMS]
        assert sorted(p.name for p in folder.iterdir()) == sorted(
            [f"{s}.avi" for s in STREAMS] + logs + ["nucleus.txt"]
        )
        for stream, (fps, _) in STREAMS.items():
            lines = (folder / f"{stream}_log.txt").read_text().splitlines()
            assert len(lines) == probe(str(folder / f"{stream}.avi")).frames
            assert lines[3].startswith("img00003.png 1")
            gaps = np.diff([int(line.split()[1]) for line in lines]) / 1e9
            assert np.median(gaps) == pytest.approx(1 / fps, rel=0.02) and gaps.min() > 0 and gaps.std() > 0
        assert re.fullmatch(r"(\d+:\d+\n)?", (folder / "nucleus.txt").read_text())


def test_lists_have_the_quirks_of_the_real_ones(root):
    for split, count in (("train", 3), ("test", 1)):
        v1 = (root / f"nvgesture_{split}_correct_cvpr2016.lst").read_text()
        v2 = (root / f"nvgesture_{split}_correct_cvpr2016_v2.lst").read_text()
        assert not v1.endswith("\n") and v2.endswith(" \n")
        pattern = (
            r"path:\./Video_data/class_\d\d/subject\d+_r\d depth:sk_depth:\d+:\d+ color:sk_color:\d+:\d+ "
            r"duo_left:duo_left:\d+:\d+ label:\d+ "
        )
        assert len(v2.splitlines()) == count
        assert all(re.fullmatch(pattern, line) for line in v1.splitlines() + v2.splitlines())
    labels = {v: [c.label for c in read_nvgesture(str(root), lists=v).clips] for v in ("v1", "v2")}
    assert labels == {"v1": [0, 19, 8, 24], "v2": [1, 19, 8, 24]}


def test_description(root):
    about = json.loads((root / "dataset.json").read_text())
    assert about["synthetic"] is True and (about["train"], about["test"]) == (3, 1)
    assert not (root / ".unfinished.json").exists()


def test_the_hand_moves_in_every_stream(root):
    for clip in read_nvgesture(str(root)).clips:
        for name, stream in clip.streams.items():
            numbers = [stream.start, stream.start + 1, (stream.start + stream.end) // 2]
            rest, still, moved = read_frames(stream.path, numbers, gray=True).astype(int)
            noise = np.quantile(np.abs(still - rest), 0.99)  # between neighbours at rest
            assert (np.abs(moved - rest) > 15 + noise).mean() > 0.01, (clip.clip_id, name)


def test_same_frames_again(root, tmp_path):
    take = TAKES[2]
    nvgesture_files.write_take(tmp_path, take, 5, "smoke")
    for file in ("sk_color.avi", "sk_depth.avi", "duo_right.avi"):
        first, again = (
            read_frames(str(base / "Video_data" / take.clip_id / file), range(84)) for base in (root, tmp_path)
        )
        np.testing.assert_array_equal(first, again)


def test_a_lost_file_is_made_again_alike(tmp_path):
    nvgesture_files.write_take(tmp_path, TAKES[3], 5, "smoke")
    folder = tmp_path / "Video_data" / TAKES[3].clip_id
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    for name in ("sk_wrapped.avi", "duo_left.avi", "sk_depth.avi"):
        (folder / name).unlink()
    nvgesture_files.write_take(tmp_path, TAKES[3], 5, "smoke")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_whole_set_has_the_subjects_of_the_real_one():
    takes = plan_takes()
    assert len(takes) == 750 and sum(t.split == "train" for t in takes) == 300
    assert len({t.clip_id for t in takes}) == len(takes)
    for split, subjects in SUBJECTS.items():
        assert {t.subject for t in takes if t.split == split} == set(subjects)
    changed = {(t.folder, t.subject): t.gesture for t in takes if t.gesture != t.folder}
    assert changed == RELABELLED
    for preset in nvgesture_files.PRESETS:
        for split in SUBJECTS:
            labels = {t.gesture for t in nvgesture_files.plan(0, preset) if t.split == split}
            assert labels == set(range(1, len(CLASSES) + 1))


def test_clocks_over_many_recordings():
    lost = 0
    for take in plan_takes()[::5]:
        clocks = record(take, 0, 100)
        rate = 99 / ((clocks.colour[-1] - clocks.colour[0]) / 1e9)
        assert 29.85 < rate < 30.1
        assert clocks.duo_start + 93 <= len(clocks.duo) and clocks.depth_start + 80 <= len(clocks.colour)
        assert abs(clocks.duo_start - clocks.colour_start * 7 / 6) < 2.8
        apart = abs(clocks.duo[clocks.duo_start] - clocks.colour[clocks.colour_start]) / 1e9
        assert apart < 0.135
        lost += np.diff(clocks.duo).max() > 0.05e9
        window = clocks.colour[clocks.colour_start], clocks.colour[clocks.colour_start + 79]
        assert window[0] < clocks.gesture_start < window[1] - 1.5e9
    assert 5 < lost < 60


@pytest.mark.parametrize(("there", "back"), [(0, 1), (2, 3), (4, 5), (6, 7), (15, 16), (17, 18), (19, 20)])
def test_pairs_are_each_other_backwards(there, back):
    seconds = np.linspace(0, MANNER.duration, 41)
    a, b = hand_motion(there, MANNER, seconds), hand_motion(back, MANNER, seconds[::-1])
    for field in dataclasses.fields(a):
        np.testing.assert_allclose(getattr(a, field.name), getattr(b, field.name), atol=1e-9)


def test_every_gesture_rests_before_and_after_and_is_like_no_other():
    seconds = np.linspace(-0.5, MANNER.duration + 0.5, 61)
    tracks = []
    for label in range(len(CLASSES)):
        motion = hand_motion(label, MANNER, seconds)
        track = np.concatenate([8 * motion.wrist, motion.fingers, motion.angles], 1)
        np.testing.assert_allclose(track[:5], track[-5:], atol=1e-9)
        tracks.append(track)
    apart = [np.abs(a - b).max() for i, a in enumerate(tracks) for b in tracks[:i]]
    assert min(apart) > 0.3


def test_move_right_is_the_drivers_right():
    """Who faces the camera has the right hand on the left of the image."""
    right = hand_motion(0, MANNER, np.array([0.5, 1.5])).wrist[:, 0]
    up = hand_motion(2, MANNER, np.array([0.5, 1.5])).wrist[:, 1]
    push = hand_motion(17, MANNER, np.array([0.5, 1.5])).wrist[:, 2]
    assert right[1] < right[0] and up[1] > up[0] and push[1] < push[0]


def test_it_is_one_of_the_sets():
    assert "nvgesture" in build.generators()
