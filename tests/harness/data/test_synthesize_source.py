"""The synthetic source set: motions, people and files of its own, made only where it is asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from harness.data.registry import data_set
from harness.data.synthesize import made_unasked, mgr_dark, source_motions, synthesize
from harness.data.synthesize.motion import GESTURES, perform
from harness.data.synthesize.nvgesture_motion import draw_manner, hand_motion
from harness.data.synthesize.seeding import generator
from harness.data.synthesize.source_motion import MOTIONS, perform_motion
from harness.data.synthesize.source_motions import HELD_OUT, SUBJECTS, frame_count, person_of, plan, render_take
from harness.errors import BadUsage
from mtcd_plugin.datasets.source_motions_dataset import SourceMotionsDataset
from mtcd_plugin.formats.source_motions import read_source_motions

FRAMES = 40
NVGESTURE = [
    "move hand left",
    "move hand right",
    "move hand up",
    "move hand down",
    "move two fingers left",
    "move two fingers right",
    "move two fingers up",
    "move two fingers down",
    "click",
    "beckon",
    "stretch hand",
    "shake hand",
    "show one",
    "show two",
    "show three",
    "lift up",
    "press down",
    "push",
    "shrink",
    "levorotation",
    "dextrorotation",
    "two fingers prod",
    "grab",
    "thumbs up",
    "ok",
]


def course(position: np.ndarray) -> np.ndarray:
    """What a hand draws once it is raised, whatever its place and size [n,3]."""
    middle = position[len(position) // 5 : -len(position) // 5]
    centred = middle - middle.mean(0)
    return centred / max(np.sqrt((centred**2).sum(1).mean()), 1e-6)


def drawn(make, takes: int = 6) -> list[np.ndarray]:
    person = person_of(0, "p01")
    return [course(p) for k in range(takes) for p in make(person, generator(k, "course")).values()]


def difference(these: list[np.ndarray], those: list[np.ndarray]) -> float:
    """Between the two courses that are nearest, as a share of their size."""
    return min(float(np.sqrt(((a - b) ** 2).sum(1).mean())) for a in these for b in those)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    takes = [t for t in plan(0, "smoke") if t.motion == "slant up right"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_motions, "plan", lambda seed, preset: takes)
        return synthesize(tmp_path_factory.mktemp("data"), ["source_motions"], "smoke", jobs=1)["source_motions"]


def test_no_motion_is_a_gesture_of_the_benchmark():
    assert len(MOTIONS) >= 40 and not {m.lower() for m in MOTIONS} & {*GESTURES, *NVGESTURE}
    gestures = {g: drawn(lambda p, rng, g=g: perform(g, FRAMES, p, rng).hands) for g in GESTURES}
    seconds = np.linspace(0, 2, FRAMES)
    for label, name in enumerate(NVGESTURE):
        gestures[name] = drawn(
            lambda p, rng, n=label: {1: hand_motion(n, draw_manner(p, rng), seconds).wrist * [1, 1, -1]}
        )
    for motion in MOTIONS:
        mine = drawn(lambda p, rng, m=motion: perform_motion(m, FRAMES, p, rng).hands)
        for gesture, theirs in gestures.items():
            assert not mine or difference(mine, theirs) > 0.3, (motion, gesture)


def test_a_motion_and_its_way_back_differ_in_time_alone():
    for forth, back in (("zigzag up", "zigzag down"), ("stir", "stir back"), ("tick", "tick back")):
        path, u = MOTIONS[forth].path, np.linspace(0, 1, 50)
        assert MOTIONS[back].path is path and MOTIONS[back].backwards and not MOTIONS[forth].backwards
        assert not np.allclose(path(u), path(1 - u), atol=0.1)


def test_people_are_others_and_those_held_out_are_never_trained_on():
    takes = plan(0, "demo")
    assert len({t.take_id for t in takes}) == len(takes) and {t.motion for t in takes} == set(MOTIONS)
    per_class = [sum(t.motion == m for t in takes) for m in MOTIONS]
    assert 50 <= min(per_class) == max(per_class) <= 60
    assert {t.subject for t in takes} == set(SUBJECTS) and 0 < len(HELD_OUT) < len(SUBJECTS) / 4
    assert all(32 <= frame_count(t, 0) <= 40 for t in takes[:50])
    bodies = {(p.height, p.girth, p.skin) for p in (person_of(0, s) for s in SUBJECTS)}
    assert len(bodies) == len(SUBJECTS)
    assert not bodies & {(p.height, p.girth, p.skin) for p in (mgr_dark.subject(0, s) for s in mgr_dark.SUBJECTS)}


def test_what_a_version_shows_is_fixed():
    take = plan(0, "smoke")[0]
    frames = render_take(take, 0, 0.5)
    assert (source_motions.SOURCE_VERSION, take.take_id) == ("1.0", "p01_m01_t1")
    assert data_set("source_motions").generator_version == "2.0"  # the weights' provenance names it
    assert {m: f.shape for m, f in frames.items()} == {
        "rgb": (40, 40, 48, 3),
        "depth": (40, 40, 48, 1),
        "ir": (40, 40, 48, 1),
    }
    assert {m: f.mean() for m, f in frames.items()} == pytest.approx(
        {"rgb": 120.920, "depth": 28.901, "ir": 56.569}, abs=0.005
    )


def test_every_video_is_a_clip_of_three_channels(root):
    table = read_source_motions(str(root))
    assert table.synthetic and table.classes == ("slant up right",)
    assert [c.split for c in table.clips] == ["train"] * 6 + ["test"] * 3
    init_default_scope("mmaction")
    pipeline = [
        dict(type="SampleClipFrames", clip_len=8),
        dict(type="LoadModalities", size=(24, 20)),
        dict(type="SplitModalities"),
        dict(type="PackClip"),
    ]
    shown = SourceMotionsDataset(str(root), pipeline)
    for i, camera in enumerate(("rgb", "depth", "ir")):
        clip = shown[i]["inputs"].float()
        assert clip.shape == (1, 3, 8, 20, 24) and shown.data_list[i]["clip_id"].endswith(camera)
        assert ((clip[:, 0] - clip[:, 2]).abs().mean() < 1.0) == (camera != "rgb")


def test_a_malformed_table_is_one_line(root, tmp_path):
    for name in ("classes.txt", "subjects.csv"):
        (tmp_path / name).write_text((root / name).read_text())
    text = (root / "motions.csv").read_text()
    for old, new, words in (
        ("slant up right,rgb", "nod,rgb", "line 2: motion 'nod' is unknown; choose from slant up right"),
        (",depth,", ",rgb,", "line 3: take 'p01_m01_t1' has rgb twice"),
        (",ir,", ",heat,", "line 4: modality 'heat' is unknown; choose from rgb, depth, ir"),
    ):
        (tmp_path / "motions.csv").write_text(text.replace(old, new, 1))
        with pytest.raises(ValueError, match=words):
            read_source_motions(str(tmp_path))


def test_it_is_made_only_where_it_is_asked_for(root, tmp_path):
    assert made_unasked() == ("mgr_dark", "nvgesture", "sysu_mm01")
    about = json.loads((root / "dataset.json").read_text())
    assert about["version"] == source_motions.SOURCE_VERSION and about["videos"] == 9
    (tmp_path / "source_motions").mkdir()
    (tmp_path / "source_motions" / "dataset.json").write_text(json.dumps({**about, "version": "0.9"}))
    with pytest.raises(ValueError, match=r"holds another data set .*version '0.9'"):
        synthesize(tmp_path, ["source_motions"], "smoke")
    with pytest.raises(BadUsage, match="unknown synthetic data set"):
        synthesize(tmp_path, ["source"], "smoke")
