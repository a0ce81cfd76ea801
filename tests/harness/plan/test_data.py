"""Which clips a config uses, as the plan counts them."""

import os
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.data import clips
from harness.data.images import images_fingerprint
from harness.ledger.judge import data_fingerprint, info_fingerprint
from harness.plan.data import describe_data
from harness.system import slow
from mtcd_plugin.formats.clip_store import source_hash
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from tests.helpers.tiny_data import zero_in_secret


def config(root, modalities, **more):
    test = {"type": "MGRDarkDataset", "data_root": str(root), "split": "test", "modalities": ["rgb"]}
    train = {**test, "split": "train", "modalities": modalities, **more}
    return {"train_dataloader": {"dataset": train}, "test_dataloader": {"dataset": test}}


def test_clips_without_infrared_count_as_the_config_says(mgr_dark_root, tmp_path):
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "copy"))
    table = (root / "annotations.csv").read_text()
    (root / "annotations.csv").write_text(table.replace("clips/dark/ir/stop/s1_stop_dark.mp4", ""))
    kept, kept_prints = describe_data(config(root, ["rgb", "ir"], missing_modality={"ir": "blank"}))
    left, left_prints = describe_data(config(root, ["rgb", "ir"], missing_modality={"ir": "drop"}))
    assert (kept.train_clips, left.train_clips, kept.test_clips) == (9, 8, 3)
    _, whole_prints = describe_data(config(mgr_dark_root, ["rgb", "ir"], missing_modality={"ir": "blank"}))
    prints = [p["train"] for p in (kept_prints, left_prints, whole_prints)]
    assert len(set(prints)) == 3 and kept_prints["test"] == whole_prints["test"]
    with pytest.raises(ValueError, match="clip s1_stop_dark has no ir stream"):
        describe_data(config(root, ["rgb", "ir"]))
    plain = describe_data(config(mgr_dark_root, ["rgb", "ir"]))[1]
    assert plain == whole_prints  # no modality is missing: the same clips


def forget() -> None:
    """As a new process."""
    clips.forget(), images_fingerprint.cache_clear()


def prints_of(dataset: dict) -> dict[str, str]:
    forget()
    return describe_data({"train_dataloader": {"dataset": dataset}})[1]


def test_zeroed_videos_of_equal_size_and_time_are_other_data(mgr_dark_root, tmp_path):
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "copy"))
    dark = sorted((root / "clips" / "dark" / "rgb").rglob("*.mp4"))
    before = {light: describe_data(config(root, ["rgb"], lighting=light))[1] for light in ("dark", "daylight")}
    stores = {light: source_hash(clips_of(root, light), "rgb") for light in before}
    for path in dark[::2]:
        zero_in_secret(path)
    forget()
    after = {light: describe_data(config(root, ["rgb"], lighting=light))[1] for light in ("dark", "daylight")}
    assert after["dark"]["train"] != before["dark"]["train"]
    assert after["daylight"]["train"] == before["daylight"]["train"]
    assert source_hash(clips_of(root, "dark"), "rgb") != stores["dark"]
    assert source_hash(clips_of(root, "daylight"), "rgb") == stores["daylight"]


def clips_of(root: Path, lighting: str):
    return read_mgr_dark(str(root), lighting).clips


def test_the_same_files_elsewhere_are_the_same_data(mgr_dark_root, tmp_path):
    copy = shutil.copytree(mgr_dark_root, tmp_path / "copy", copy_function=shutil.copyfile)  # other inodes and times
    assert describe_data(config(copy, ["rgb", "ir"]))[1] == describe_data(config(mgr_dark_root, ["rgb", "ir"]))[1]


def test_a_changed_log_of_nvgesture_is_other_data(nvgesture_root, tmp_path):
    root = Path(shutil.copytree(nvgesture_root, tmp_path / "copy"))
    dataset = {"type": "NvGestureDataset", "data_root": str(root), "split": "train", "modalities": ["rgb", "ir"]}
    before = prints_of(dataset)
    log = root / "Video_data/class_01/subject3_r0/duo_left_log.txt"
    stat = log.stat()
    lines = log.read_text().splitlines(keepends=True)
    stamp = int(lines[50].split()[1])
    lines[50] = f"img00050.png {stamp + 5_000_000}\n"
    log.write_text("".join(lines))
    os.utime(log, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert log.stat().st_size == stat.st_size and prints_of(dataset) != before


def sysu_mm01(root):
    for pid in (1, 2, 3):
        for cam in (1, 3):
            path = root / f"cam{cam}" / f"{pid:04d}" / "0001.jpg"
            path.parent.mkdir(parents=True)
            path.write_bytes(bytes([pid, cam]) * 500)
    (root / "exp").mkdir()
    for name, people in dict(train_id="1", val_id="2", test_id="3").items():
        (root / "exp" / f"{name}.txt").write_text(people)


@pytest.mark.parametrize("generated", [False, True])
def test_sysu_mm01_says_whether_it_is_synthetic_alone_and_beside_clips(mgr_dark_root, tmp_path, generated):
    sysu_mm01(tmp_path)
    if generated:
        (tmp_path / "dataset.json").write_text('{"name": "SYSU-MM01", "synthetic": true}')
    images = {"type": "SYSUMM01Dataset", "data_root": str(tmp_path), "split": "train"}
    about, prints = describe_data({"train_dataloader": {"dataset": images}})
    assert (about.name, about.synthetic, about.train_clips, about.test_clips) == ("SYSU-MM01", generated, 4, 0)
    assert about.train_subjects == ["0001", "0002"] and about.fingerprint == data_fingerprint(
        {"train": prints["train"]}
    )
    assert prints["info"] == info_fingerprint(about)
    both = config(mgr_dark_root, ["rgb"])
    both["train_dataloader"]["dataset"] = images
    own = describe_data(config(mgr_dark_root, ["rgb"]))[0].synthetic
    found = describe_data(both)[0]
    assert found.name == "MGR-Dark and SYSU-MM01" and found.synthetic == (own or generated) and found.test_clips


def test_a_changed_image_of_sysu_mm01_is_other_data(tmp_path):
    sysu_mm01(tmp_path)
    dataset = {"type": "SYSUMM01Dataset", "data_root": str(tmp_path)}
    before = prints_of(dataset)
    assert prints_of(dataset) == before
    zero_in_secret(tmp_path / "cam3" / "0002" / "0001.jpg")
    assert prints_of(dataset) != before


def test_a_missing_file_is_one_line_and_in_quarantine_it_does_no_harm(mgr_dark_root, tmp_path):
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "copy"))
    (root / "clips/dark/rgb/stop/s1_stop_dark.mp4").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"clip s1_stop_dark: rgb file .* cannot be read \(No such file"
    ) as caught:
        describe_data(config(root, ["rgb"]))
    assert "\n" not in str(caught.value) and "leave the clip out (quarantine)" in str(caught.value)
    bad = tmp_path / "bad.txt"
    bad.write_text("s1_stop_dark\n")
    left, _ = describe_data(config(root, ["rgb"], quarantine=str(bad)))
    assert left.train_clips == 8
    assert source_hash(clips_of(root, "dark"), "rgb")  # of the store, which has a place for every clip


def rewritten(root: Path, tmp_path, change) -> Path:
    """A copy of a tiny MGR-Dark whose annotation is what ``change`` makes of its lines after the header."""
    copy = Path(shutil.copytree(root, tmp_path / "copy"))
    head, *rows = (copy / "annotations.csv").read_text().splitlines()
    (copy / "annotations.csv").write_text("\n".join([head, *change(head.split(","), rows)]) + "\n")
    return copy


def without_infrared(head: list[str], rows: list[str]) -> list[str]:
    first = head.index("ir_file")
    return [",".join(cell if not first <= i < first + 4 else "" for i, cell in enumerate(r.split(","))) for r in rows]


@pytest.mark.parametrize("what", ["blank", "drop"])
def test_a_modality_that_no_clip_has_is_said_in_the_plan(mgr_dark_root, tmp_path, what):
    root = rewritten(mgr_dark_root, tmp_path, without_infrared)
    with pytest.raises(ValueError, match="copy: no clip of the train split has ir; cells that read it cannot be plan"):
        describe_data(config(root, ["rgb", "ir"], missing_modality={"ir": what}))
    assert describe_data(config(root, ["rgb", "depth"]))[0].train_clips == 9


def test_a_lighting_without_clips_is_named(mgr_dark_root, tmp_path):
    root = rewritten(mgr_dark_root, tmp_path, lambda head, rows: [r for r in rows if ",dark," in r])
    with pytest.raises(ValueError, match=r"copy \(lighting daylight\): has no clips; cells that read them cannot be"):
        describe_data(config(root, ["rgb"], lighting="daylight"))


def test_reading_that_takes_long_says_what_is_read(mgr_dark_root, monkeypatch):
    said, heard = [], threading.Event()

    def listen(line):
        said.append(line)
        heard.set()

    monkeypatch.setattr(slow, "AFTER_S", 0.0)
    monkeypatch.setattr(clips, "log", SimpleNamespace(info=listen))
    monkeypatch.setattr(clips, "fingerprint", lambda *_: heard.wait(60) and "f")
    forget()
    clips.select(config(mgr_dark_root, ["rgb"])["train_dataloader"]["dataset"])
    forget()
    assert said == ["planning: reading 9 clips of MGR-Dark"]
