"""Sets with every defect in real files of the real layouts: each one is found and named, and nothing else is."""

import csv
import html
import json
import os
import re
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cli import main
from harness.data.clips import forget, select
from harness.data.verify import videos as verify_videos
from harness.data.verify.annotations import Annotation
from harness.data.verify.dataset import Verification, verify_dataset, write_quarantine
from harness.data.verify.finding import Finding
from harness.data.verify.mgr_dark import annotated_mgr_dark, notes_mgr_dark
from harness.data.verify.nvgesture import annotated_nvgesture
from harness.data.verify.page import findings_page, findings_text
from harness.data.verify.sysu_mm01 import scan_image
from harness.data.verify.videos import scan_video, scan_videos
from mtcd_plugin.formats import content
from mtcd_plugin.formats.clips import Clip, check_file, fingerprint
from mtcd_plugin.formats.mgr_dark import COLUMNS, read_mgr_dark
from mtcd_plugin.formats.nvgesture import LIST_FILES, read_nvgesture
from mtcd_plugin.formats.splits import read_quarantine, select_clips
from mtcd_plugin.formats.sysu import TOO_LARGE, is_too_large
from mtcd_plugin.formats.video import write_video
from tests.helpers.defective_sets import (
    FRAMES,
    GESTURES,
    SUBJECTS,
    frames,
    mgr_dark_rows,
    scan_or_die,
    spoil_mgr_dark,
    spoil_nvgesture,
    truncate,
    write_sound_mgr_dark,
    write_sound_nvgesture,
)
from tests.helpers.tiny_data import huge_png, write_mgr_dark_tables

FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def defects(outcome) -> set:
    return {(f.clip_id, f.severity, f.check) for f in outcome.findings if f.severity != "note"}


def messages(outcome, check: str) -> str:
    return "\n".join(f.message for f in outcome.findings if f.check == check)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    root = tmp_path_factory.mktemp("sound") / "mgr_dark"
    write_sound_mgr_dark(root)
    return root


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    root = tmp_path_factory.mktemp("spoiled") / "mgr_dark"
    expected = spoil_mgr_dark(root, write_sound_mgr_dark(root))
    return root, expected, verify_dataset("mgr_dark", root)


def test_a_sound_set_has_notes_only(sound):
    seen = []
    outcome = verify_dataset("mgr_dark", sound, progress=lambda done, total: seen.append((done, total)))
    assert outcome.sound and not defects(outcome)
    assert (outcome.clips, outcome.files, outcome.decoded, outcome.synthetic) == (24, 72, 72, False)
    assert seen[-1] == (72, 72)


def test_every_defect_of_mgr_dark_is_found_and_nothing_else(spoiled):
    _, expected, outcome = spoiled
    assert defects(outcome) == expected
    assert all(f.remedy for f in outcome.findings if f.severity != "note")
    assert all("\n" not in f.message for f in outcome.findings)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("decode", "mgr_dark/clips/dark/depth/backward/s1_backward_dark.mp4 is empty (0 bytes)"),
        ("decode", "mgr_dark/clips/dark/rgb/forward/s1_forward_dark.mp4 cannot be opened as a video"),
        ("window", "has 48 frames, but the window [0, 60) ends beyond"),
        ("copy", "rgb shows the same frames as rgb of clip s4_stop_dark of the test split"),
        ("annotation", "annotations.csv line 27: 3 fields where the header has 18"),
        ("annotation", "annotations.csv line 28: unexpected end of data"),
        ("duplicate id", "annotations.csv line 26: clip_id 's1_stop_daylight' occurs twice"),
        ("label", "annotations.csv line 29: gesture 'juggle' is not in classes.txt"),
        ("splits", "subjects.csv line 6: subject 's1' occurs twice and is both in test and in train"),
        ("dark", "beside 10."),
        ("counts", "rgb clips, dark: 12 here; the draft: 5,170"),
    ],
)
def test_findings_say_what_and_where(spoiled, check, text):
    assert text in messages(spoiled[2], check)


@pytest.mark.parametrize(("classes", "subjects", "synthetic"), [(10, 21, False), (10, 21, True), (3, 4, False)])
def test_what_the_draft_contradicts_itself_in_is_said_of_its_own_data_alone(classes, subjects, synthetic):
    clips = tuple(Clip(f"c{i}", str(i), 0, "train", {}, lighting="dark") for i in range(subjects))
    annotation = Annotation("MGR-Dark", clips, tuple(map(str, range(classes))), synthetic, ())
    said = "\n".join(f.message for f in notes_mgr_dark(annotation, {}))
    assert f"gesture classes: {classes} here; the draft: 10" in said
    own = (classes, subjects, synthetic) == (10, 21, False)
    assert (
        ("8,721 s is impossible" in said) == ("10 gesture classes and names 9" in said) == ("see below" in said) == own
    )


def test_equal_findings_are_one_line_and_clips_with_errors_have_their_fate_said():
    rate = [Finding(f"c{i}", "warning", "rate", "30 fps", "nothing to do") for i in range(25)]
    bad = Finding("c7", "error", "window", "ends beyond")
    outcome = Verification("mgr_dark", "MGR-Dark", "x", False, 25, 25, 25, (bad, *rate))
    first, second, fate, counts = findings_text(outcome).splitlines()
    assert first == "error: window: c7: ends beyond"
    assert second == "warning: rate: 25 clips (c0, c1, c2 and 22 more): 30 fps -> nothing to do"
    assert fate.startswith("1 clip with errors: runs read it all the same; --quarantine FILE here writes")
    assert counts.endswith("files decoded, 1 error, 25 warnings, 0 notes")
    assert "1 error, 25 warnings, 0 notes." in " ".join(findings_page(outcome).split())
    assert "unless runs are given --quarantine mgr_dark=bad.txt" in findings_text(outcome, "bad.txt")
    assert "with errors" not in findings_text(replace(outcome, findings=tuple(rate)))


@pytest.mark.parametrize(
    ("spoil", "refused"),
    [
        (lambda file: file.unlink(), True),
        (lambda file: (file.unlink(), file.mkdir()), True),
        (lambda file: file.write_bytes(b""), False),
        (lambda file: file.write_bytes(b"no video"), False),
    ],
)
def test_clips_that_planning_refuses_are_told_from_those_that_runs_read(mgr_dark_root, tmp_path, spoil, refused):
    root = shutil.copytree(mgr_dark_root, tmp_path / "mgr_dark")
    clip = read_mgr_dark(str(root), lighting="dark").clips[0]
    spoil(Path(clip.streams["rgb"].path))
    config = {"type": "MGRDarkDataset", "data_root": str(root), "split": clip.split, "lighting": "dark"}
    forget()
    for modality in ("rgb", "depth"):  # what planning does
        with pytest.raises(FileNotFoundError) if refused and modality == "rgb" else nullcontext():
            select({**config, "modalities": [modality]})
    outcome = verify_dataset("mgr_dark", root)
    assert {f.clip_id for f in outcome.findings if f.unplannable} == ({clip.clip_id} if refused else set())
    text = findings_text(outcome)
    assert ("1 clip without a file that can be read: no cell that reads it can be planned; " in text) == refused
    assert any(f.clip_id == clip.clip_id and f.severity == "error" for f in outcome.findings)
    assert refused or ("with errors: runs read " in text and "can be planned" not in text)


def test_both_kinds_of_clips_with_errors_have_a_line():
    bad = [Finding(f"c{i}", "error", "file", "does not exist", unplannable=True) for i in (1, 2)]
    outcome = Verification("mgr_dark", "M", "x", False, 9, 9, 7, (*bad, Finding("c3", "error", "window", "beyond")))
    said = findings_text(outcome, "bad.txt").splitlines()[-3:-1]
    end = "unless runs are given --quarantine mgr_dark=bad.txt, which lists what to leave out"
    assert said == [
        f"2 clips without a file that can be read: no cell that reads one can be planned, {end}",
        f"1 other clip with errors: runs read it all the same, {end}",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",dark,", ",dusk,", "annotations.csv line 2: lighting 'dusk' is unknown"),
        (",12,", ",12.5,", "annotations.csv line 2: "),
        ("clip_id,", "id,", "annotations.csv"),
    ],
)
def test_a_row_that_the_readers_refuse_is_not_said_to_be_read(mgr_dark_root, tmp_path, old, new, said):
    root = shutil.copytree(mgr_dark_root, tmp_path / "mgr_dark")
    table = root / "annotations.csv"
    assert findings_text(verify_dataset("mgr_dark", root)).count("no run reads the set") == 0
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        read_mgr_dark(str(root), lighting="both")
    outcome = verify_dataset("mgr_dark", root)
    for quarantine in (None, tmp_path / "bad.txt"):
        text = findings_text(outcome, quarantine)
        assert f"no run reads the set as it is, with --quarantine neither: {refused.value}; mend it" in text
        assert "all the same" not in text and "unless they are given" not in text
    assert not outcome.sound and outcome.as_json()["refused"] == str(refused.value)
    assert "No run reads the set as it is" in findings_page(outcome)


def test_quarantine_leaves_a_set_that_can_be_trained_on(spoiled, tmp_path):
    """Once the tables are mended, the clips that are left all decode and have every stream."""
    root, expected, outcome = spoiled
    path = tmp_path / "bad.txt"
    bad = {clip for clip, severity, _ in expected if clip and severity == "error"}
    assert write_quarantine(path, outcome) == len(bad) and read_quarantine(str(path)) == bad
    with pytest.raises(ValueError, match=r"annotations\.csv|subjects\.csv|classes\.txt"):
        read_mgr_dark(str(root))
    mended = tmp_path / "mended"
    mended.mkdir()
    (mended / "clips").symlink_to(root / "clips")
    (mended / "classes.txt").write_text((root / "classes.txt").read_text())
    (mended / "subjects.csv").write_text("\n".join((root / "subjects.csv").read_text().splitlines()[:5]))
    lines = (root / "annotations.csv").read_text().splitlines()[:25]
    (mended / "annotations.csv").write_text("\n".join(lines))
    again = verify_dataset("mgr_dark", mended)
    assert write_quarantine(path, again) and {f.check for f in again.findings if f.severity == "error"} == {
        "decode",
        "file",
        "window",
        "missing stream",
        "copy",
        "dark",
    }
    left = select_clips(read_mgr_dark(str(mended), "both"), "all", ["rgb", "depth", "ir"], str(path))
    assert len(left) == 24 - len(read_quarantine(str(path))) == 16


def test_a_copy_of_a_neighbours_file_is_found_where_its_window_is_another(sound, tmp_path):
    """Windows begin or end elsewhere, so that their frames are not the same; of another label, and another subject."""
    root = Path(shutil.copytree(sound, tmp_path / "set"))
    with open(root / "annotations.csv", newline="") as file:
        rows = {row["clip_id"]: row for row in csv.DictReader(file)}
    kept, other_label, other_subject = rows["s1_stop_dark"], rows["s1_forward_dark"], rows["s2_stop_dark"]
    for row, key, by in ((other_label, "rgb_end", -3), (other_subject, "rgb_start", 3)):
        shutil.copy(root / kept["rgb_file"], root / row["rgb_file"])
        row[key] = str(int(row[key]) + by)
    with open(root / "annotations.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows.values())
    found = [f for f in verify_dataset("mgr_dark", root).findings if f.check == "copy"]
    assert [(f.clip_id, f.severity) for f in found] == [("s1_stop_dark", "error"), ("s2_stop_dark", "error")]
    assert all("rgb file" in f.message and "is a copy of rgb of clip s1_forward_dark" in f.message for f in found)


def test_every_defect_of_nvgesture_is_found_and_nothing_else(tmp_path):
    root = tmp_path / "nvgesture"
    write_sound_nvgesture(root)
    before = verify_dataset("nvgesture", tmp_path)  # the folder that holds the set will do
    assert before.sound and {f.check for f in before.findings if f.severity == "warning"} == {"class balance"}
    expected = spoil_nvgesture(root)
    outcome = verify_dataset("nvgesture", root)
    about_files = [f for f in outcome.findings if f.clip_id and (" file " in f.message or f.check == "log")]
    assert {f.check for f in about_files} >= {"decode", "log"}
    assert all(f"{root}/Video_data/{f.clip_id}/" in f.message for f in about_files)  # paths that can be opened
    assert defects(outcome) == expected
    log = messages(outcome, "log")
    for text in (
        "1 gaps inside the window",
        "do not increase",
        "line 1 is blank",
        "the log is empty",
        "the log is missing",
    ):
        assert text in log
    assert "(its header says 110)" in messages(outcome, "decode")
    assert "line 9: 'nonsense' is not of the form name:value" in messages(outcome, "annotation")
    assert "subject3 is both in the training and in the test list" in messages(outcome, "splits")


def test_a_missing_modality_is_a_note_and_not_a_defect_of_every_clip(sound, tmp_path):
    (tmp_path / "clips").symlink_to(sound / "clips")
    for name in ("classes.txt", "subjects.csv"):
        (tmp_path / name).write_text((sound / name).read_text())
    text = re.sub(r"clips/\w+/ir/[^,]*", "", (sound / "annotations.csv").read_text())
    (tmp_path / "annotations.csv").write_text(text)
    outcome = verify_dataset("mgr_dark", tmp_path)
    assert not defects(outcome) and "no clip has the stream ir" in messages(outcome, "counts")
    assert "24 video files below clips/ are in no annotation" in messages(outcome, "files")


def test_a_stream_that_was_not_extracted_is_one_line_and_not_two_of_each_clip(tmp_path):
    root = tmp_path / "nvgesture"
    write_sound_nvgesture(root)
    for name in ("sk_wrapped", "duo_right", "sk_depth"):
        for path in root.rglob(f"{name}*"):
            path.unlink()
    outcome = verify_dataset("nvgesture", root)
    of_files = {(f.severity, f.message.split(" file")[0]) for f in outcome.findings if f.check == "files"}
    assert of_files == {
        ("note", "no clip has its sk_wrapped"),  # which no config reads
        ("note", "no clip has its duo_right"),
        ("error", "no clip has its sk_depth"),
    }
    assert defects(outcome) == {("", "error", "files"), ("", "warning", "class balance")}
    assert (outcome.files, outcome.decoded) == (20, 20)
    assert write_quarantine(tmp_path / "out.txt", outcome) == 0  # colour and infrared of every clip can be read


def test_a_defect_of_a_stream_that_nothing_reads_does_not_advise_to_leave_the_clip_out(tmp_path):
    root = tmp_path / "nvgesture"
    write_sound_nvgesture(root)
    next(root.rglob("sk_wrapped.avi")).unlink()
    (found,) = [f for f in verify_dataset("nvgesture", root).findings if f.check == "file"]
    assert found.severity == "warning" and found.remedy == "nothing to do: no method of the benchmark reads it"


@pytest.mark.parametrize(
    ("first", "form", "remedy"), [(1, "[1, n + 1)", "every start and end"), (0, "[1, n]", "every start;")]
)
def test_windows_counted_from_one_are_one_finding(sound, tmp_path, first, form, remedy):
    (tmp_path / "clips").symlink_to(sound / "clips")
    for name in ("classes.txt", "subjects.csv"):
        (tmp_path / name).write_text((sound / name).read_text())
    text = (sound / "annotations.csv").read_text()
    (tmp_path / "annotations.csv").write_text(text.replace(f",0,{FRAMES}", f",1,{FRAMES + first}"))
    outcome = verify_dataset("mgr_dark", tmp_path)
    assert defects(outcome) == {("", "warning", "numbering")}
    assert f"72 of 72 windows over whole files of n frames are {form}" in messages(outcome, "numbering")
    assert remedy in next(f.remedy for f in outcome.findings if f.check == "numbering")


def test_a_few_windows_that_start_at_one_are_no_numbering(sound, tmp_path):
    (tmp_path / "clips").symlink_to(sound / "clips")
    for name in ("classes.txt", "subjects.csv"):
        (tmp_path / name).write_text((sound / name).read_text())
    text = (sound / "annotations.csv").read_text()
    (tmp_path / "annotations.csv").write_text(text.replace(f",0,{FRAMES}", f",1,{FRAMES + 1}", 20))
    outcome = verify_dataset("mgr_dark", tmp_path)
    assert "numbering" not in {f.check for f in outcome.findings} and "window" in {f.check for f in outcome.findings}


def test_people_under_two_names_and_columns_that_nothing_reads(sound, tmp_path):
    (tmp_path / "clips").symlink_to(sound / "clips")
    for name in ("classes.txt", "subjects.csv"):
        (tmp_path / name).write_text((sound / name).read_text())
    (tmp_path / "subjects.csv").open("a").write("S4,train\n")
    head, *lines = (sound / "annotations.csv").read_text().splitlines()
    (tmp_path / "annotations.csv").write_text("\n".join([f"{head},remark", *(f"{line},fine" for line in lines)]))
    outcome = verify_dataset("mgr_dark", tmp_path)
    assert defects(outcome) == {("", "error", "splits"), ("", "warning", "columns")}
    assert "subject 'S4' (train) and subject 's4' (test) differ in case" in messages(outcome, "splits")
    assert "nothing reads the columns 'remark'; those that are read: clip_id, " in messages(outcome, "columns")


@pytest.mark.parametrize("written", ["Train", "training"])
def test_a_split_that_is_none_is_one_finding(tmp_path, written):
    write_mgr_dark_tables(tmp_path, mgr_dark_rows(), {**SUBJECTS, "s1": written}, GESTURES)
    (finding,) = annotated_mgr_dark(tmp_path).findings
    assert f"split '{written}' is unknown; choose from train, test" in finding.message
    assert ("write it in small letters" in finding.message) == (written == "Train")


@pytest.mark.parametrize("empty", ["train", "test"])
def test_an_empty_split_is_an_error(tmp_path, empty):
    other = "test" if empty == "train" else "train"
    write_mgr_dark_tables(tmp_path / "mgr", mgr_dark_rows(), dict.fromkeys(SUBJECTS, other), GESTURES)
    write_sound_nvgesture(tmp_path / "nv")
    (tmp_path / "nv" / LIST_FILES["v2"].format(split=empty)).write_text("\n")
    for annotation in annotated_mgr_dark(tmp_path / "mgr"), annotated_nvgesture(tmp_path / "nv"):
        (finding,) = annotation.findings
        assert finding.severity == "error" and finding.message == f"the {empty} split has no clip"


def test_sysu_mm01_without_infrared_images_to_train_on_is_an_error(tmp_path):
    sysu(tmp_path)
    for pid, cam in ((1, 3), (2, 6), (3, 6)):
        shutil.rmtree(tmp_path / f"cam{cam}" / f"{pid:04d}")
    outcome = verify_dataset("sysu_mm01", tmp_path)
    assert ("", "error", "splits") in defects(outcome)
    assert messages(outcome, "splits") == "the train split has no infrared image"


@pytest.mark.parametrize("option", ["--html", "--quarantine"])
@pytest.mark.parametrize("place", ["folder", "file/page"])
def test_where_an_outcome_cannot_be_written_is_said_before_anything_is_read(
    tmp_path, capsys, monkeypatch, option, place
):
    (tmp_path / "folder").mkdir(), (tmp_path / "file").write_text("")
    monkeypatch.setattr("harness.data.verify.dataset.verify_dataset", lambda *args: pytest.fail("it began"))
    with pytest.raises(SystemExit) as stop:
        main(["data", "verify", "--dataset", "mgr_dark", "--data-root", str(tmp_path), option, str(tmp_path / place)])
    err = capsys.readouterr().err
    assert stop.value.code == 2 and place in err and err.count("\n") == 1


@pytest.mark.parametrize("place", ["folder", "sheet.foo", "sheet", "file/sheet.png"])
def test_a_contact_sheet_that_cannot_be_written_is_refused_before_anything_is_read(
    tmp_path, capsys, monkeypatch, place
):
    (tmp_path / "folder").mkdir(), (tmp_path / "file").write_text("")
    monkeypatch.setattr("harness.data.describe.contact_sheet.open_readable", lambda *args: pytest.fail("it began"))
    with pytest.raises(SystemExit) as stop:
        main(["data", "sheet", str(tmp_path), "--out", str(tmp_path / place)])
    err = capsys.readouterr().err
    assert stop.value.code == 2 and place in err and err.count("\n") == 1


def test_a_set_one_folder_further_down_is_one_line(sound, tmp_path, capsys):
    (tmp_path / "mgr_dark").mkdir()
    (tmp_path / "mgr_dark" / "MGR-Dark").symlink_to(sound)
    with pytest.raises(SystemExit) as stop:
        main(["data", "verify", "--dataset", "mgr_dark", "--data-root", str(tmp_path)])
    err = capsys.readouterr().err
    assert stop.value.code == 1 and err.count("\n") == 1 and "annotations.csv is not here but in MGR-Dark/ below" in err


def test_verification_reads_all_content_and_says_what_changed_in_secret(sound, tmp_path, monkeypatch):
    """Here ctime is left out, as on a file system that has none."""
    root = Path(shutil.copytree(sound, tmp_path / "set"))
    monkeypatch.setattr(content, "SETTLED_S", 0.0)
    monkeypatch.setattr(content, "_state", lambda stat: f"1 {stat.st_size} {stat.st_mtime_ns} 0")
    assert not defects(verify_dataset("mgr_dark", root))
    monkeypatch.setattr(content, "_read", None)  # planning reads nothing after it
    assert len(content.content_hashes(str(path) for path in root.rglob("*.mp4"))) == 72
    monkeypatch.undo()
    monkeypatch.setattr(content, "_state", lambda stat: f"1 {stat.st_size} {stat.st_mtime_ns} 0")
    victim = next((root / "clips" / "dark" / "depth").rglob("*.mp4"))
    stat, data = victim.stat(), bytearray(victim.read_bytes())
    at = data.index(b"x264")  # in the encoder's remark: the frames stay as they are
    data[at : at + 4] = b"y264"
    victim.write_bytes(data)
    os.utime(victim, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    outcome = verify_dataset("mgr_dark", root)
    assert ("", "warning", "content") in defects(outcome)
    assert f"the first is {victim.relative_to(root)}" in messages(outcome, "content")


def test_without_classes_and_subjects_the_rest_is_still_checked(sound, tmp_path):
    (tmp_path / "clips").symlink_to(sound / "clips")
    (tmp_path / "annotations.csv").write_text((sound / "annotations.csv").read_text())
    outcome = verify_dataset("mgr_dark", tmp_path)
    assert outcome.clips == 24 and outcome.files == 72
    errors = [f.message for f in outcome.findings if f.severity == "error"]
    assert len(errors) == 2 and "classes.txt" in errors[0] and "subjects.csv" in errors[1]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_scan_tells_how_far_a_truncated_file_goes(tmp_path, share):
    path = tmp_path / "a.avi"
    write_video(str(path), frames("a", FRAMES), 30)
    whole = scan_video(str(path), ((0, 10), (0, FRAMES)))
    assert (whole.frames, whole.stated_frames, whole.problem, whole.fps) == (FRAMES, FRAMES, "", 30)
    assert whole.cuts[1].luminance == pytest.approx(frames("a", FRAMES).mean(), abs=2)
    truncate(path, share)
    part = scan_video(str(path), ((0, 10), (0, FRAMES)))
    assert part.frames < FRAMES and not part.cuts[1].digest
    if part.sound_frames >= 10:
        assert part.cuts[0] == whole.cuts[0]


def test_a_file_that_kills_its_process_is_named_and_the_others_are_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(verify_videos, "scan_video", scan_or_die)
    paths = [str(tmp_path / f"{name}.mp4") for name in ("a", "deadly", "b", "c")]
    for path in paths:
        write_video(path, frames(path, 4), 25)
    found = scan_videos({path: ((0, 4),) for path in paths}, processes=2)
    assert {path: v.problem for path, v in found.items()} == {
        path: "kills the process that decodes it" if "deadly" in path else "" for path in paths
    }
    assert all(v.frames == 4 for path, v in found.items() if "deadly" not in path)


def sysu(root):
    for pid, cameras in {1: (1, 3), 2: (2, 6), 3: (4, 6), 4: (1, 3)}.items():
        for cam in cameras:
            for number in (1, 2):
                path = root / f"cam{cam}" / f"{pid:04d}" / f"{number:04d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                noise = np.random.default_rng(1000 * pid + 10 * cam + number).integers(0, 255, (32, 16, 3))
                cv2.imwrite(str(path), noise.astype(np.uint8))
    (root / "exp").mkdir()
    for name, people in dict(train_id="1,2\n", val_id="3", test_id="4,").items():
        (root / "exp" / f"{name}.txt").write_text(people)


def test_every_defect_of_sysu_mm01_is_found(tmp_path):
    sysu(tmp_path)
    outcome = verify_dataset("sysu_mm01", tmp_path)
    assert outcome.clips == 16 and not defects(outcome)
    assert "train: 3 people, 6 visible and 6 infrared images" in messages(outcome, "counts")
    truncate(tmp_path / "cam1/0001/0001.jpg")
    (tmp_path / "cam1/0001/0002.jpg").write_bytes(huge_png())
    (tmp_path / "cam3/0001/0002.jpg").write_bytes(b"")
    (tmp_path / "cam2/0002/0001.jpg").write_bytes((tmp_path / "cam4/0003/0001.jpg").read_bytes())
    (tmp_path / "exp/train_id.txt").write_text("1,2,two,77,4")
    assert defects(verify_dataset("sysu_mm01", tmp_path)) == {
        ("cam1/0001/0001", "error", "decode"),
        ("cam1/0001/0002", "error", "decode"),
        ("cam3/0001/0002", "error", "decode"),
        ("cam4/0003/0001", "error", "copy"),
        ("", "error", "annotation"),
        ("", "error", "file"),
        ("", "error", "splits"),
    }


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_a_finding_and_never_opened(tmp_path, make):
    """Opening a named pipe would wait for ever."""
    row = mgr_dark_rows()[0]
    write_mgr_dark_tables(tmp_path, [row], SUBJECTS, GESTURES)
    for name in ("rgb", "depth", "ir"):
        (tmp_path / row[f"{name}_file"]).parent.mkdir(parents=True)
    make(tmp_path / row["rgb_file"])
    outcome = verify_dataset("mgr_dark", tmp_path)
    wrong = "a pipe, socket or device, not a regular file" if make is os.mkfifo else "Is a directory"
    kind = "named pipe" if make is os.mkfifo else "folder"
    assert f"/clips/dark/rgb/forward/s1_forward_dark.mp4 is a {kind}, not a file" in messages(outcome, "decode")
    (clip,) = read_mgr_dark(str(tmp_path)).clips
    with pytest.raises(FileNotFoundError, match=re.escape(wrong)):
        check_file(clip, "rgb")
    with pytest.raises(FileNotFoundError, match=re.escape(wrong)):
        fingerprint([clip], ["rgb"])
    make(tmp_path / "0001.jpg")
    assert f"is a {kind}, not a file" in scan_image(str(tmp_path / "0001.jpg"))[0] and not is_too_large(
        str(tmp_path / "0001.jpg")
    )
    (tmp_path / "annotations.csv").unlink()
    make(tmp_path / "annotations.csv")
    assert f"annotations.csv (MGR-Dark's annotation): {wrong}" in messages(
        verify_dataset("mgr_dark", tmp_path), "annotation"
    )


def test_an_image_that_unpacks_to_gigabytes_is_never_decoded(tmp_path):
    path = tmp_path / "bomb.jpg"
    path.write_bytes(huge_png())
    assert scan_image(str(path))[0] == TOO_LARGE == "has more than 16,777,216 pixels"
    path.write_bytes(huge_png(4097, 4097))
    assert scan_image(str(path))[0] == TOO_LARGE


def test_command_line(spoiled, sound, tmp_path, capsys):
    root, expected, _ = spoiled
    page, bad = tmp_path / "page.html", tmp_path / "bad.txt"
    args = ["data", "verify", "--dataset", "mgr_dark", "--jobs", "1"]
    with pytest.raises(SystemExit) as stop:
        main([*args, "--data-root", str(root), "--json", "--html", str(page), "--quarantine", str(bad)])
    out = json.loads(capsys.readouterr().out)
    assert stop.value.code == 1 and out["clips"] == 24 and out["counts"]["error"] >= 14
    assert {(f["clip_id"], f["severity"], f["check"]) for f in out["findings"]} >= expected
    text = page.read_text()
    assert "s3_stop_dark" in text and not re.search(r"(src|href)=|url\(|@import", text)
    assert "s3_stop_dark" in read_quarantine(str(bad))
    with pytest.raises(SystemExit) as stop:
        main([*args, "--data-root", str(sound)])
    assert stop.value.code == 0 and "24 clips, 72 of 72 files decoded, 0 errors" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main([*args, "--data-root", str(tmp_path / "nowhere")])
    err = capsys.readouterr().err
    assert stop.value.code == 2 and err.count("\n") == 1 and "nowhere" in err


def test_several_processes_find_the_same(spoiled):
    root, _, outcome = spoiled
    assert verify_dataset("mgr_dark", root, processes=2) == outcome


def test_the_page_escapes_what_files_say(tmp_path, capsys):
    evil = "<script>alert(1)</script>"
    write_mgr_dark_tables(tmp_path, [dict.fromkeys(COLUMNS, "1") | {"clip_id": evil, "gesture": evil}])
    page = tmp_path / "p.html"
    with pytest.raises(SystemExit):
        main(["data", "verify", "--dataset", "mgr_dark", "--data-root", str(tmp_path), "--html", str(page)])
    assert evil not in page.read_text() and html.escape(evil) in page.read_text()


# Whatever a table or list says, verification ends with findings, and it finds an error wherever the reader stops.

CELLS = st.one_of(
    st.sampled_from(["", "s1", "s4", "forward", "dark", "daylight", "0", "25", "48", "-1", "1e999", "nan", "9" * 400]),
    st.text(max_size=8),
)


@FUZZ
@given(rows=st.lists(st.lists(CELLS, min_size=18, max_size=18), max_size=4))
def test_any_cells_of_an_annotation_give_findings(tmp_path, rows):
    write_mgr_dark_tables(tmp_path, [])
    with open(tmp_path / "annotations.csv", "a", newline="", encoding="utf-8") as file:
        file.writelines(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    check_agreement("mgr_dark", tmp_path, lambda root: read_mgr_dark(root, "both"))


@FUZZ
@given(
    name=st.sampled_from(["annotations.csv", "subjects.csv", "classes.txt", "dataset.json"]),
    keep=st.booleans(),
    text=st.one_of(st.binary(max_size=60), st.text(alphabet='ab1,"\n\r \t;train', max_size=60).map(str.encode)),
)
def test_any_text_in_a_file_of_mgr_dark_gives_findings(tmp_path, name, keep, text):
    values = dict.fromkeys(COLUMNS, "") | dict(clip_id="c", subject="s1", gesture="stop", lighting="dark")
    write_mgr_dark_tables(tmp_path, [values])
    (tmp_path / "dataset.json").write_text("{}")
    path = tmp_path / name
    path.write_bytes((path.read_bytes() if keep else b"") + text)
    check_agreement("mgr_dark", tmp_path, lambda root: read_mgr_dark(root, "both"))
    annotation = annotated_mgr_dark(tmp_path)
    assert len({clip.clip_id for clip in annotation.clips}) == len(annotation.clips)


LINES = st.one_of(
    st.text(max_size=40),
    st.builds(
        "path:./Video_data/class_01/subject{}_r0 color:sk_color:{}:{} duo_left:duo_left:{}:9 label:{} ".format,
        *[st.one_of(st.integers(-2, 30), st.sampled_from(["", "x", "1:2", "9" * 400]))] * 5,
    ),
)


@FUZZ
@given(train=st.lists(LINES, max_size=4), test=st.lists(LINES, max_size=2), log=st.binary(max_size=40))
def test_any_lists_and_logs_of_nvgesture_give_findings(tmp_path, train, test, log):
    for split, lines in (("train", train), ("test", test)):
        path = tmp_path / LIST_FILES["v2"].format(split=split)
        path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    folder = tmp_path / "Video_data" / "class_01" / "subject1_r0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sk_color_log.txt").write_bytes(log)
    check_agreement("nvgesture", tmp_path, read_nvgesture)
    annotated_nvgesture(tmp_path)


@FUZZ
@given(text=st.one_of(st.binary(max_size=40), st.text(alphabet="0123,; \n", max_size=40).map(str.encode)))
def test_any_list_of_people_gives_findings(tmp_path, text):
    (tmp_path / "exp").mkdir(exist_ok=True)
    for name in ("train_id", "val_id", "test_id"):
        (tmp_path / "exp" / f"{name}.txt").write_bytes(text)
    assert verify_dataset("sysu_mm01", tmp_path).clips == 0


def check_agreement(dataset, root, read) -> None:
    outcome = verify_dataset(dataset, root)
    json.dumps(outcome.as_json(), allow_nan=False)
    try:
        read(str(root))
    except (ValueError, OSError):
        assert outcome.counts["error"], "the reader refuses what verification calls sound"
        assert outcome.refused and not outcome.sound
    else:
        assert not outcome.refused
