"""Statistics and contact sheets for the pages: whatever is wrong with the data, they are written without it."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from harness.data.describe import summary
from harness.data.describe.contact_sheet import HEAD, LABEL, _write, contact_sheet
from harness.data.describe.moments import brightened
from harness.data.describe.statistics import dataset_statistics
from harness.data.describe.summary import load_summaries, save_summaries
from harness.ledger.run_dir import STATISTICS
from harness.ledger.verify import verify_ledger
from mtcd_plugin.formats.video import read_frames
from tests.helpers.defective_sets import truncate
from tests.helpers.tiny_data import GESTURES, SUBJECTS, zero_in_secret

CLIPS = 2 * len(GESTURES) * len(SUBJECTS)


@pytest.fixture
def root(mgr_dark_root, tmp_path):
    """Data of one's own to spoil, below a data root."""
    return Path(shutil.copytree(mgr_dark_root, tmp_path / "data" / "mgr_dark"))


def video(root, clip_id, modality="rgb"):
    return next((root / "clips").rglob(f"{modality}/*/{clip_id}.mp4"))


def measured(root, quarantine=None):
    """What a run-all leaves in its work dir, and what it said."""
    lines, work_dir = [], root.parents[1] / "work"
    work_dir.mkdir(exist_ok=True)
    save_summaries(work_dir, root.parent, {"mgr_dark": quarantine} if quarantine else {}, lines.append)
    return load_summaries(work_dir)["mgr_dark"], lines, work_dir


def light_of(root, clips):
    """Mean and deviation of the frames by their definition."""
    values = np.concatenate([read_frames(str(video(root, c)), [0, 3, 7, 11]).ravel() for c in clips]) / 255
    return pytest.approx({"mean": values.mean(), "std": values.std()}, abs=1e-9)


def test_statistics_are_those_of_the_clips(root):
    found, lines, work_dir = measured(root)
    assert not lines and found["left_out"] == [] and found["clips"] == CLIPS
    assert found["clips_per_split"] == {"test": 6, "train": 18} and found["resolution"]["ir"] == [32, 24]
    dark = [p.stem for p in (root / "clips/dark/rgb").rglob("*.mp4")]
    assert found["rgb"]["dark"] == light_of(root, dark)
    assert cv2.imread(str(work_dir / "contact_sheet_mgr_dark.png")) is not None


def test_what_cannot_be_read_is_left_out_and_named(root):
    """The first file of a modality, the sheet's clip, and a clip without rgb: each stopped all pages."""
    first = video(root, "s1_forward_dark")
    first.write_bytes(b"")
    truncate(video(root, "s4_stop_daylight", "depth"))
    table = (root / "annotations.csv").read_text()
    (root / "annotations.csv").write_text(table.replace("clips/dark/rgb/stop/s2_stop_dark.mp4", ""))
    found, lines, work_dir = measured(root)
    assert found["clips"] == CLIPS and found["resolution"]["rgb"] == [32, 24]
    assert {line.split(":")[0] for line in found["left_out"]} == {
        "clip s1_forward_dark, rgb",
        "clip s4_stop_daylight, depth",
    }
    assert str(root) not in json.dumps(found) and len(lines) == 1 and "s4_stop_daylight, depth" in lines[0]
    dark = {p.stem for p in (root / "clips/dark/rgb").rglob("*.mp4")} - {"s1_forward_dark", "s2_stop_dark"}
    assert found["rgb"]["dark"] == light_of(root, sorted(dark))
    sheet = cv2.imread(str(work_dir / "contact_sheet_mgr_dark.png"))
    assert (
        sheet[HEAD + 2 * 74 : HEAD + 3 * 74 - 2, LABEL:] != 250
    ).any()  # the row of the damaged clip: its other streams


def test_clips_in_quarantine_are_neither_read_nor_counted(root, tmp_path):
    video(root, "s1_forward_dark").unlink()
    bad = tmp_path / "bad.txt"
    bad.write_text("s1_forward_dark  # gone\n")
    found, lines, _ = measured(root, bad)
    assert not lines and found["left_out"] == []
    assert (found["clips"], found["quarantined"], found["clips_per_subject"]["s1"]) == (CLIPS - 1, 1, 5)
    again, _, _ = measured(root)
    assert again["clips"] == CLIPS and len(again["left_out"]) == 1  # another quarantine is another state


def test_dark_frames_are_brightened_with_one_gain():
    frames = np.array([[[[0, 1, 2]]], [[[0, 2, 4]]]], np.uint8)
    assert brightened(frames).max() == 255
    assert brightened(np.repeat(frames, 100, axis=2))[0, 0, 0, 1:].tolist() == [63, 127]  # a quarter, a half
    assert brightened(frames[:0]).shape == frames[:0].shape


def test_a_sheet_says_on_its_face_whether_data_are_synthetic_and_of_real_clips_no_more_than_their_layout(
    root, tmp_path, monkeypatch
):
    made, real = tmp_path / "made.png", tmp_path / "real.png"
    said = []
    monkeypatch.setattr(
        "harness.data.describe.contact_sheet._write", lambda sheet, *a: said.append(a[0]) or _write(sheet, *a)
    )
    contact_sheet(root, made)
    (root / "dataset.json").unlink()
    contact_sheet(root, real)
    assert [s for s in said if "MGR-Dark" in s] == [
        "MGR-Dark - SYNTHETIC DATA, generated videos",
        "clips in the layout of MGR-Dark",
    ]
    made, real = cv2.imread(str(made)), cv2.imread(str(real))
    assert (made[HEAD:] == real[HEAD:]).all() and (made[: HEAD // 2] != real[: HEAD // 2]).any()


def test_a_stream_that_no_clip_has_takes_no_place_on_a_sheet(root, tmp_path):
    whole, some = tmp_path / "whole.png", tmp_path / "some.png"
    contact_sheet(root, whole)
    table = pd.read_csv(root / "annotations.csv", dtype=str, keep_default_na=False)
    table.loc[table.lighting == "dark", [f"depth_{k}" for k in ("file", "fps", "start", "end")]] = ""
    table.to_csv(root / "annotations.csv", index=False)
    contact_sheet(root, some)
    widths = [cv2.imread(str(p)).shape[1] - LABEL for p in (whole, some)]
    assert widths[0] - widths[1] == widths[0] // 7  # dark: colour, brightened, depth, infrared; daylight: three


def test_a_clip_of_the_sheet_in_quarantine_gives_its_place_to_another(root, tmp_path):
    whole, other = tmp_path / "a.png", tmp_path / "b.png"
    assert contact_sheet(root, whole) == []
    truncate(video(root, "s4_stop_dark"))
    (tmp_path / "bad.txt").write_text("s4_stop_dark")
    assert contact_sheet(root, other, tmp_path / "bad.txt") == []
    assert cv2.imread(str(other)).shape == cv2.imread(str(whole)).shape
    assert [line.split(":")[0] for line in contact_sheet(root, other)] == ["clip s4_stop_dark, rgb"]


def test_a_data_set_that_cannot_be_read_at_all_says_why(root):
    sheet = root.parents[1] / "work" / "contact_sheet_mgr_dark.png"
    measured(root)
    assert sheet.exists()
    (root / "annotations.csv").write_text("clip_id;rgb_file\n")
    found, lines, _ = measured(root)
    assert "separated by semicolons" in found["problem"] and len(lines) == 1 and not sheet.exists()
    assert set(found) == {"name", "problem", "stamp"}


def deadly(*_):
    os._exit(9)


def odd(*_):
    raise RuntimeError("a library's own\nerror")


@pytest.mark.parametrize(
    ("measure", "problem"), [(deadly, "ends the process that decodes it"), (odd, "a library's own error")]
)
def test_a_file_that_ends_its_process_or_breaks_a_library_leaves_the_pages(root, monkeypatch, measure, problem):
    monkeypatch.setattr(summary, "measure", measure)
    found, lines, _ = measured(root)
    assert problem in found["problem"] and len(lines) == 1 and "\n" not in lines[0]


def test_what_is_known_is_not_measured_again(root, monkeypatch):
    before, _, _ = measured(root)
    monkeypatch.setattr(summary, "_measured", None)
    assert measured(root)[0] == before
    monkeypatch.undo()
    for path in (root / "clips/dark/rgb").rglob("*.mp4"):
        zero_in_secret(path)
    after, _, _ = measured(root)
    assert (
        "dark" in before["rgb"] and "dark" not in after["rgb"] and after["rgb"]["daylight"] == before["rgb"]["daylight"]
    )


ODD = [
    *("", "{", "[]", "7", "[" * 100_000),
    *('{"mgr_dark": 3}', '{"mgr_dark": {"rgb": {"dark": {"mean": NaN, "std": 1}}}}', '{"mgr_dark": {"clips": -1}}'),
    *('{"mgr_dark": {"lengths": ["x"]}}', '{"mgr_dark": {"resolution": {"rgb": [1]}}}'),
]


@pytest.mark.parametrize("text", ODD)
def test_a_damaged_file_of_statistics_is_said_and_measured_anew(root, text):
    good, _, work_dir = measured(root)
    (work_dir / STATISTICS).write_text(text)
    lines = []
    assert load_summaries(work_dir, lines.append) == {}
    assert len(lines) == 1 and "cannot be read" in lines[0] and "\n" not in lines[0]
    assert measured(root)[0] == good


def test_what_was_edited_is_not_shown_and_measured_anew(root):
    good, _, work_dir = measured(root)
    path = work_dir / STATISTICS
    whole = path.read_bytes()
    assert verify_ledger(work_dir) == (0, [])
    about = json.loads(whole)
    about["mgr_dark"]["clips"] = 99999
    path.write_text(json.dumps({**about, "other": {"name": "of an older harness, at no hand"}}))
    lines = []
    assert load_summaries(work_dir, lines.append) == {"other": {"name": "of an older harness, at no hand"}}
    (said,) = lines
    assert said.startswith(f"{path}: mgr_dark: edited since it was measured, and not shown; `run-all`")
    assert [f"{work_dir / f.run}: {f.problem}" for f in verify_ledger(work_dir)[1]] == lines
    path.write_text(json.dumps(about))
    assert measured(root)[:2] == (good, lines) and path.read_bytes() == whole
    assert measured(root)[:2] == (good, []) and path.read_bytes() == whole


def test_what_an_older_harness_measured_has_no_seal_and_is_measured_anew_where_the_data_is(root):
    good, _, work_dir = measured(root)
    about = json.loads((work_dir / STATISTICS).read_text())
    del about["mgr_dark"]["seal"]
    about["mgr_dark"]["clips"] = 99999
    (work_dir / STATISTICS).write_text(json.dumps(about))
    assert load_summaries(work_dir)["mgr_dark"]["clips"] == 99999 and verify_ledger(work_dir) == (0, [])
    assert measured(root)[0] == good


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_verify_names_statistics_that_are_damaged(tmp_path, text):
    (tmp_path / STATISTICS).write_text(text)
    (finding,) = verify_ledger(tmp_path)[1]
    assert finding.run == STATISTICS and finding.problem.endswith("; `run-all` with the data measures it anew")


def test_statistics_take_a_description_as_it_is(root):
    (root / "dataset.json").write_text('\ufeff{"synthetic": true, "seed": 7, "generator_version": 2}', encoding="utf-8")
    found = dataset_statistics(root)
    assert (found["seed"], found["generator_version"], found["synthetic"]) == ("7", "2", True)


def test_what_was_measured_says_at_which_profile_it_is_read(mgr_dark_root, tmp_path, monkeypatch):
    monkeypatch.setattr(summary, "_measured", lambda *a: {"name": "mgr_dark", "clips": 3})
    root = tmp_path / "data"
    root.mkdir()
    (root / "mgr_dark").symlink_to(mgr_dark_root)
    save_summaries(tmp_path, root, profile="demo")
    assert load_summaries(tmp_path)["mgr_dark"]["profile"] == "demo"
    monkeypatch.setattr(summary, "_measured", lambda *a: pytest.fail("measured again"))
    save_summaries(tmp_path, root, profile="smoke")
    assert load_summaries(tmp_path)["mgr_dark"]["profile"] == "smoke"
