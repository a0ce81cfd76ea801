"""The synthetic MGR-Dark: what is fixed about people, scenes, motion and sensors, and the files as readers see them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.data.names import at_light, one_spelling
from harness.data.synthesize import build, mgr_dark_files, synthesize
from harness.data.synthesize.body import arm_lengths, solve_limb
from harness.data.synthesize.cameras import Camera
from harness.data.synthesize.mgr_dark import (
    LIGHTINGS,
    SIZES,
    SUBJECTS,
    TEST_SUBJECTS,
    exposure,
    frame_count,
    plan_takes,
    render_take,
    split_of,
    subject,
)
from harness.data.synthesize.motion import GESTURES, MOVEMENTS, NEUTRAL, perform
from harness.data.synthesize.scenes import INDOOR_SCENES, OUTDOOR_SCENES, make_scene
from harness.data.synthesize.seeding import GENERATOR_VERSION, generator
from harness.data.synthesize.sensors import DEPTH_FAR_MM, DEPTH_NEAR_MM
from harness.errors import BadUsage
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.video import probe as probe_video
from mtcd_plugin.formats.video import read_frames
from tests.helpers.shortcut_probe import frame_features, probe

TAKES = [t for t in plan_takes(0) if t.pair_id in ("s01_g01_t1", "s02_g04_t2", "s03_g07_t1")]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mgr_dark_files, "plan", lambda seed, preset: TAKES)
        return synthesize(tmp_path_factory.mktemp("data"), ["mgr_dark"], "smoke", seed=0, jobs=1)["mgr_dark"]


def test_cast_is_the_papers():
    assert len(SUBJECTS) == 21 and len(TEST_SUBJECTS) == 5
    assert sorted(subject(0, s).sex for s in SUBJECTS) == ["f"] * 4 + ["m"] * 17
    assert (len(OUTDOOR_SCENES), len(INDOOR_SCENES), len(GESTURES)) == (9, 17, 10)


def test_another_light_is_a_factor_on_the_light_and_nothing_else(tmp_path, monkeypatch):
    (plain,) = [t for t in TAKES if t.clip_id == "s02_g04_t2_dark"]
    lit = replace(plain, light=16.0)
    assert mgr_dark_files.plan(0, "smoke", 16.0) == [
        replace(t, light=16.0) for t in mgr_dark_files.plan(0, "smoke") if t.lighting == "dark"
    ]
    shots = [exposure(make_scene(0, plain.scene), "dark", 1.0, generator(0, "x"), light) for light in (1.0, 16.0)]
    assert shots[1].electrons == pytest.approx(16 * shots[0].electrons) and shots[1].gain == shots[0].gain
    dark, bright = (render_take(t, 0, 0.5, ("rgb", "ir"), only=(10, 30)) for t in (plain, lit))
    assert np.array_equal(bright["ir"], dark["ir"])
    assert bright["rgb"].mean() > dark["rgb"].mean() + 2
    monkeypatch.setattr(mgr_dark_files, "plan", lambda seed, preset, light: [replace(plain, light=light)])
    made = synthesize(tmp_path, ["mgr_dark_light-16"], "smoke", jobs=1)["mgr_dark_light-16"]
    (clip,) = read_mgr_dark(str(made)).clips
    assert set(clip.streams) == {"rgb", "ir"} and json.loads((made / "dataset.json").read_text())["light"] == 16
    before = Path(clip.streams["rgb"].path).stat().st_mtime_ns
    synthesize(tmp_path, ["mgr_dark_light-16"], "smoke", jobs=1)  # it is there
    assert Path(clip.streams["rgb"].path).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "name", ["mgr_dark_light-0", "mgr_dark_light-1.2.3", "nvgesture_light-0.25", "mgr_dark_light-x"]
)
def test_what_is_no_set_of_another_light(tmp_path, name):
    with pytest.raises(
        ValueError, match=f"unknown synthetic data set '{name}'.*mgr_dark_light-0.25 .or another factor"
    ):
        synthesize(tmp_path, [name], "smoke")


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("mgr_dark_light-0.250", "mgr_dark_light-0.25"),
        ("mgr_dark_light-.00001", "mgr_dark_light-0.00001"),
        ("mgr_dark_light-16.0", "mgr_dark_light-16"),
        ("mgr_dark_light-1", "mgr_dark"),
    ],
)
def test_one_content_has_one_name(tmp_path, name, right):
    with pytest.raises(BadUsage, match=f"'{name}': write {right}, "):
        synthesize(tmp_path, ["mgr_dark", name], "smoke")
    assert not any(tmp_path.iterdir()) and one_spelling(right) == right
    assert at_light(right) == ("mgr_dark", float(name.partition("-")[2]))


def test_plan_of_the_demo():
    takes = mgr_dark_files.plan(0, "demo")
    assert len({t.clip_id for t in takes}) == len(takes) == 1440
    for light in LIGHTINGS:
        for split, count in (("train", 32), ("test", 40)):
            mine = [t.gesture for t in takes if t.lighting == light and split_of(t.subject) == split]
            assert {g: mine.count(g) for g in GESTURES} == dict.fromkeys(GESTURES, count)
    pairs = {}
    for t in takes:
        pairs.setdefault(t.pair_id, []).append(t)
    assert all(len({(t.subject, t.gesture, t.scene) for t in p}) == 1 for p in pairs.values())
    assert all([t.lighting for t in p] == list(LIGHTINGS) for p in pairs.values())
    assert len({t.scene for t in takes}) == 26


def test_lengths():
    lengths = np.array([frame_count(t, 0) for t in mgr_dark_files.plan(0, "demo")])
    assert lengths.min() >= 45 and lengths.max() <= 210
    assert np.median(lengths) < 75 and (lengths > 100).mean() > 0.02


def test_files_as_the_reader_sees_them(root):
    table = read_mgr_dark(str(root), "both")
    assert table.synthetic and table.classes == GESTURES and len(table.clips) == 6
    assert {c.split for c in table.clips} == {"train", "test"}
    for clip in table.clips:
        for m, stream in clip.streams.items():
            info = probe_video(stream.path)
            assert info.frames == stream.end == frame_count(next(t for t in TAKES if t.clip_id == clip.clip_id), 0)
            assert info.fps == 25
            assert abs(info.width - SIZES[m][0] / 2) <= 1 and info.width % 2 == info.height % 2 == 0
    about = json.loads((root / "dataset.json").read_text())
    assert about["synthetic"] is True and about["seed"] == 0 and about["clips"] == 6


def test_same_seed_same_frames_whatever_is_rendered_beside(root):
    take = TAKES[1]
    alone = render_take(take, 0, 0.5, ("ir",))["ir"]
    beside = render_take(take, 0, 0.5)["ir"]
    assert np.array_equal(alone, beside)
    assert not np.array_equal(alone, render_take(take, 1, 0.5, ("ir",))["ir"][: len(alone)])
    stored = read_frames(str(root / mgr_dark_files.video_file(take, "ir")), range(len(alone)), gray=True)
    assert np.abs(stored.astype(int) - alone).mean() < 3


def test_two_processes_write_the_bytes_of_one(root, tmp_path, monkeypatch):
    monkeypatch.setattr(mgr_dark_files, "plan", lambda seed, preset: TAKES)
    other = synthesize(tmp_path, ["mgr_dark"], "smoke", seed=0, jobs=2)["mgr_dark"]
    files = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(other) for p in other.rglob("*") if p.is_file())
    assert all((root / f).read_bytes() == (other / f).read_bytes() for f in files)


def test_finished_is_left_alone_and_half_written_is_completed(tmp_path, monkeypatch):
    monkeypatch.setattr(mgr_dark_files, "plan", lambda seed, preset: TAKES[:2])
    folder = synthesize(tmp_path, ["mgr_dark"], "smoke", jobs=1)["mgr_dark"]
    videos = sorted(folder.rglob("*.mp4"))
    first, others = videos[0], {v: v.stat().st_mtime_ns for v in videos[1:]}
    bytes_of_first = first.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(mgr_dark_files, "write_take", lambda *a: pytest.fail("a finished set was written again"))
        synthesize(tmp_path, ["mgr_dark"], "smoke", jobs=1)
    first.unlink()  # as if killed before the last clip
    (folder / "dataset.json").rename(folder / build.UNFINISHED)
    seen = []
    synthesize(tmp_path, ["mgr_dark"], "smoke", jobs=1, progress=lambda *a: seen.append(a))
    assert first.read_bytes() == bytes_of_first
    assert {v: v.stat().st_mtime_ns for v in others} == others
    assert seen == [("mgr_dark", 1, 2), ("mgr_dark", 2, 2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"datasets": ["mgr-dark"]}, "unknown synthetic data set 'mgr-dark' .near: mgr_dark.; choose from mgr_dark"),
        ({"preset": "huge"}, "unknown preset 'huge'; choose from demo, smoke"),
    ],
)
def test_unknown_names(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        synthesize(tmp_path, **arguments)


def test_other_data_is_not_overwritten(root, tmp_path):
    with pytest.raises(
        ValueError, match="holds another data set .*seed 0.* than seed 1; delete it or choose another folder"
    ):
        synthesize(root.parent, ["mgr_dark"], "smoke", seed=1)
    (tmp_path / "mgr_dark").mkdir()
    (tmp_path / "mgr_dark" / "annotations.csv").write_text("real data")
    with pytest.raises(ValueError, match="is not empty and has no dataset.json of a synthetic set"):
        synthesize(tmp_path, ["mgr_dark"], "smoke")


def test_partner_gestures_are_each_other_backwards():
    person = subject(0, "s01")
    partners = [
        ("forward", "backward"),
        ("upward", "keep down"),
        ("turn left", "turn right"),
        ("look for", "unnamed 10"),
    ]
    for there, back in partners:
        a, b = (perform(g, 61, person, generator(0, "take")) for g in (there, back))
        for side in a.hands:
            assert np.allclose(a.hands[side], b.hands[side][::-1]) and np.allclose(a.palms[side], b.palms[side][::-1])
        assert np.allclose(a.lean, b.lean[::-1])


def test_every_gesture_starts_and_ends_with_hanging_arms():
    for gesture in GESTURES:
        for trial in range(5):
            act = perform(gesture, 60, subject(0, "s05"), generator(0, gesture, trial))
            for side, hand in act.hands.items():
                assert np.allclose(hand[[0, -1]], NEUTRAL * [side, 1, 1])
            assert np.allclose(act.lean[[0, -1]], 0, atol=1e-9)
            assert act.lean[:, 1].max() <= 0.05  # knees bend, nobody flies


def test_gestures_mean_what_their_names_say():
    """Most of the time the hand moves the way the class says (it is quick where it does not)."""
    for gesture, axis, sign in (
        ("upward", 1, 1),
        ("keep down", 1, -1),
        ("turn left", 0, 1),
        ("turn right", 0, -1),
        ("forward", 2, 1),
        ("backward", 2, -1),
    ):
        act = perform(gesture, 80, subject(0, "s02"), generator(0, gesture))
        speed = np.diff(act.hands[next(iter(act.hands))][:, axis])
        moving = np.abs(speed) > 1e-3
        assert (np.sign(speed[moving]) == sign).mean() > 0.6, gesture
    assert set(MOVEMENTS) == set(GESTURES)


def test_arm_keeps_its_lengths():
    person, rng = subject(0, "s07"), np.random.default_rng(0)
    upper, fore = arm_lengths(person)
    shoulder, target = rng.normal(0, 0.1, (50, 3)), rng.normal(0, 0.5, (50, 3))
    elbow, wrist = solve_limb(shoulder, target, upper, fore, np.array([0.3, -1, 0.1]))
    assert np.allclose(np.linalg.norm(elbow - shoulder, axis=1), upper)
    assert np.allclose(np.linalg.norm(wrist - elbow, axis=1), fore)
    far = np.linalg.norm(target - shoulder, axis=1)
    near = (far < 0.97 * (upper + fore)) & (far > abs(upper - fore) + 0.03)
    assert near.any() and np.allclose(wrist[near], target[near])


def test_camera_projects_by_the_pinhole():
    camera = Camera(100, 80, 100.0, (0.0, 1.0, 0.0))
    u, v, z = camera.project(np.array([[0.5, 1.0, 2.0], [0.0, 1.5, 2.0]]))
    assert np.allclose(u, [75, 50]) and np.allclose(v, [40, 15]) and np.allclose(z, 2)
    turned = Camera(100, 80, 100.0, (0.0, 1.0, 0.0), yaw=np.arctan2(0.5, 2.0))
    assert np.allclose(turned.project(np.array([0.5, 1.0, 2.0]))[0], 50)


@pytest.fixture(scope="module")
def views():
    """A take in both lightings, all modalities."""
    return {t.lighting: render_take(t, 0) for t in TAKES[:2]}


def test_frames_of_this_version(views):
    """Mean and standard deviation of each video: whoever changes them gives the generator another version."""
    assert GENERATOR_VERSION == "2.1"
    found = {(light, m): (v.mean(), v.std()) for light, view in views.items() for m, v in view.items()}
    for key, known in {
        ("dark", "rgb"): (5.825, 1.230),
        ("dark", "depth"): (19.932, 45.742),
        ("dark", "ir"): (43.888, 35.099),
        ("daylight", "rgb"): (118.447, 39.882),
        ("daylight", "depth"): (21.088, 49.292),
        ("daylight", "ir"): (60.127, 33.975),
    }.items():
        assert found[key] == pytest.approx(known, abs=0.02), key


def test_the_dark_is_darker_and_has_less_contrast():
    """As Figure 4 of the paper: mean and standard deviation of colour, here of each pair of takes on its own."""
    pairs: dict[str, dict] = {}
    for take in plan_takes(0):
        if take.pair_id.endswith("_t1") and int(take.subject[1:]) % 7 == 1:
            pairs.setdefault(take.pair_id, {})[take.lighting] = render_take(take, 0, 0.5, ("rgb",), [20])["rgb"] / 255
    assert len(pairs) == 30
    for pair in pairs.values():
        assert pair["dark"].mean() < 0.05 < 0.15 < pair["daylight"].mean()
        assert pair["dark"].std() < 0.02 < 0.05 < pair["daylight"].std()


def test_sensors_see_what_they_should(views):
    rgb_dark, rgb_day = views["dark"]["rgb"] / 255, views["daylight"]["rgb"] / 255
    assert rgb_dark.mean() < 0.1 < 0.25 < rgb_day.mean() < 0.7
    assert rgb_dark.std() < 0.5 * rgb_day.std()
    for view in views.values():  # the person stands out of the cold and the far
        heat, depth = view["ir"][0, ..., 0].astype(float), view["depth"][0, ..., 0]
        middle = (slice(None), slice(heat.shape[1] // 3, 2 * heat.shape[1] // 3))
        assert np.quantile(heat[middle], 0.98) > np.median(heat) + 60
        metres = (DEPTH_NEAR_MM + (255 - depth[depth > 0].astype(float)) / 254 * (DEPTH_FAR_MM - DEPTH_NEAR_MM)) / 1000
        assert 1.7 < np.quantile(metres, 0.05) < 4.0
    noise = np.diff(views["dark"]["rgb"][:3, :10, :10].astype(float), axis=0)
    assert noise.std() > 0  # the same wall, twice, is never quite the same


@pytest.fixture(scope="module")
def stills():
    """Four frames of the first two infrared takes of all in the demo set: first, centre, and two around the centre."""
    takes = [t for t in mgr_dark_files.plan(0, "demo") if t.lighting == "dark" and t.pair_id[-2:] in ("t1", "t2")]
    features = []
    for take in takes:
        last = frame_count(take, 0) - 1
        other = int(generator(0, "random frame", take.clip_id).integers(last + 1))
        frames = (
            render_take(take, 0, 0.2, ("ir",), [0, last // 2, int(0.42 * last), int(0.58 * last), other])["ir"] / 255
        )
        features.append(frame_features(frames, last + 1))
    labels = np.array([GESTURES.index(t.gesture) for t in takes])
    groups = np.array([t.subject for t in takes])
    return features, labels, groups, np.isin(groups, TEST_SUBJECTS)


@pytest.mark.parametrize("view", ["centre_frame", "random_frame", "brightness", "place", "duration"])
def test_no_shortcut(stills, view):
    features, labels, groups, test = stills
    accuracy = probe(np.stack([f[view] for f in features]), labels, groups, test)
    assert accuracy <= 0.18  # 100 test clips: 5 % of all coin flips at chance exceed 0.15


def test_motion_is_no_shortcut_but_the_way(stills):
    """The control: the same probe does learn from two frames."""
    features, labels, groups, test = stills
    assert probe(np.stack([f["difference"] for f in features]), labels, groups, test) > 0.3
