"""Segmentation of recordings whose pixels tell the time: the left half the seconds, the right half the rest."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cli import main
from harness.data.segment import cut as segment
from harness.data.segment import video as segment_video
from harness.data.segment.cut import segment_recordings
from harness.data.segment.recordings import RECORDING_COLUMNS, SEGMENT_COLUMNS, read_recordings
from harness.data.verify.dataset import verify_dataset
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.video import probe, read_frames, write_video
from tests.helpers.defective_sets import truncate
from tests.helpers.tiny_data import zero_in_secret
from tests.helpers.video_files import write

SECONDS = 13.0
OFFSET = 0.43  # the infrared camera starts so much later
RATES = {"rgb": 30.0, "depth": 30.0, "ir": 27.0}
SEGMENTS = [("forward", 30, 100), ("backward", 105, 160), ("stop", 170, 300)]  # rgb frames
ONE_LEVEL = 1 / 200  # seconds


def clock_frames(seconds: np.ndarray) -> np.ndarray:
    frames = np.zeros((len(seconds), 24, 32, 1), np.uint8)
    whole = np.floor(seconds)
    frames[:, :, :16, 0] = (30 + 15 * whole)[:, None, None]
    frames[:, :, 16:, 0] = np.rint(20 + 200 * (seconds - whole))[:, None, None]
    return frames


def read_clock(path) -> np.ndarray:
    """The time that each frame of a file shows, in seconds."""
    images = read_frames(str(path), range(probe(str(path)).frames), gray=True).astype(float)
    whole = np.rint((images[:, 4:20, 2:14].mean((1, 2, 3)) - 30) / 15)
    return whole + (images[:, 4:20, 18:30].mean((1, 2, 3)) - 20) / 200


def write_table(path: Path, columns, rows) -> None:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def write_recordings(root: Path, names=("r1", "r2"), segments=SEGMENTS) -> Path:
    """Recordings of one subject each, dark and daylight in turn."""
    rows = []
    for number, name in enumerate(names):
        for modality, rate in RATES.items():
            start = OFFSET if modality == "ir" else 0.0
            seconds = start + np.arange(round((SECONDS - start) * rate)) / rate
            write_video(str(root / f"{name}_{modality}.mp4"), clock_frames(seconds), rate, crf=0, gop=50)
        files = [f"{name}_{m}.mp4" for m in RATES]
        rows.append([name, f"s{number}", "hall", ("dark", "daylight")[number % 2], *files, OFFSET])
    write_table(root / "recordings.csv", RECORDING_COLUMNS, rows)
    write_table(root / "segments.csv", SEGMENT_COLUMNS, [(name, *line) for name in names for line in segments])
    write_table(root / "subjects.csv", ("subject", "split"), [("s0", "train"), ("s1", "test")])
    (root / "classes.txt").write_text("forward\nbackward\nstop\n")
    (root / "dataset.json").write_text('{"name": "MGR-Dark", "synthetic": true}')
    return root


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return write_recordings(tmp_path_factory.mktemp("recordings"))


@pytest.fixture(scope="module")
def done(recordings, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, segment_recordings(recordings, out, crf=0)


@pytest.fixture
def own(recordings, tmp_path):
    """A copy of the recordings to spoil."""
    root = tmp_path / "own"
    root.mkdir()
    for path in recordings.iterdir():
        (root / path.name).write_bytes(path.read_bytes())
    return root


def files_of(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def public_files(out: Path) -> dict[str, bytes]:
    return {name: data for name, data in files_of(out).items() if not name.startswith(".segment")}


def test_every_stream_shows_the_annotated_time_at_25_fps(done):
    out, summary = done
    assert summary.sound and (summary.recordings, summary.segments, summary.clips) == (2, 6, 6)
    assert (summary.files_cut, summary.files_kept, summary.findings) == (18, 0, ())
    table = read_mgr_dark(str(out), "both")
    assert [c.clip_id for c in table.clips][:3] == ["r1_000030", "r1_000105", "r1_000170"]
    for clip in table.clips:
        gesture, start, end = next(s for s in SEGMENTS if s[0] == table.classes[clip.label])
        times = start / 30 + np.arange(round((end - start) / 30 * 25)) / 25
        for modality, stream in clip.streams.items():
            info = probe(stream.path)
            assert (info.frames, info.fps, stream.start, stream.end) == (len(times), 25, 0, len(times))
            apart = np.abs(read_clock(stream.path) - times)
            assert apart.max() <= 0.5 / RATES[modality] + ONE_LEVEL, (clip.clip_id, modality)
    assert {c.split for c in table.clips if c.lighting == "dark"} == {"train"} and table.synthetic


def test_without_the_offset_infrared_would_be_late(own, tmp_path):
    """The test above can fail: infrared cut as if it had started with rgb shows another time."""
    (own / "recordings.csv").write_text((own / "recordings.csv").read_text().replace(str(OFFSET), "0"))
    segment_recordings(own, tmp_path / "out", crf=0)
    shown = read_clock(tmp_path / "out/clips/dark/ir/forward/r1_000030.mp4")
    assert abs(shown[0] - (1.0 + OFFSET)) < 0.03


def test_frames_keep_their_pixels(done, recordings):
    out, _ = done
    times = 1.0 + np.arange(58) / 25
    source = np.rint(times * 30).astype(int)  # no frame of the window is as near to two
    keep = np.abs(times * 30 % 1 - 0.5) > 0.01
    want = read_frames(str(recordings / "r1_rgb.mp4"), source)
    got = read_frames(str(out / "clips/dark/rgb/forward/r1_000030.mp4"), range(58))
    assert keep.sum() > 50 and np.abs(got[keep].astype(int) - want[keep]).max() <= 2


def test_the_outcome_passes_verification(done):
    outcome = verify_dataset("mgr_dark", done[0])
    checks = {f.check for f in outcome.findings if f.severity != "note"}
    assert outcome.clips == 6 and checks <= {"copy", "dark", "class balance"}  # the streams all show the same clock


def test_a_second_run_writes_nothing(done, recordings):
    out, first = done
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.*") if p.name != ".lock"}
    again = segment_recordings(recordings, out, crf=0)
    assert (again.clips, again.files_cut, again.files_kept) == (6, 0, 18)
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_what_changed_is_cut_again_and_what_is_gone_is_removed(own, tmp_path):
    out = tmp_path / "out"
    segment_recordings(own, out)
    old = public_files(out)
    text = (own / "segments.csv").read_text()
    (own / "segments.csv").write_text(
        text.replace("r1,backward,105,160", "r1,backward,105,165").replace("r2,stop,170,300", "")
    )
    damaged = out / "clips/dark/rgb/stop/r1_000170.mp4"
    truncate(damaged)
    summary = segment_recordings(own, out)
    assert (summary.clips, summary.files_cut, summary.files_kept) == (5, 4, 11)
    new = public_files(out)
    assert {name for name in old if name not in new} == {f"clips/daylight/{m}/stop/r2_000170.mp4" for m in RATES}
    assert {name for name in new if new[name] != old[name]} == {"annotations.csv"} | {
        f"clips/dark/{m}/backward/r1_000105.mp4" for m in RATES
    }


def test_changes_of_equal_size_and_time_are_cut_again(own, tmp_path):
    """Of a recording, and of a clip."""
    segment_recordings(own, tmp_path / "out")
    whole = public_files(tmp_path / "out")
    zero_in_secret(tmp_path / "out/clips/dark/rgb/stop/r1_000170.mp4")
    again = segment_recordings(own, tmp_path / "out")
    assert (again.files_cut, again.files_kept) == (1, 17) and public_files(tmp_path / "out") == whole
    path = own / "r2_ir.mp4"
    stat, data = path.stat(), path.read_bytes()
    path.write_bytes(data.replace(b"x264", b"y264", 1))  # in the encoder's remark
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size and path.read_bytes() != data
    assert segment_recordings(own, tmp_path / "out").files_cut == 3


@pytest.mark.parametrize(
    "name", ["absolute", "../private.mp4", "clips/../../private.mp4", "annotations.csv", "x.mp4", None, 5]
)
def test_a_note_removes_no_file_but_its_own_clip(own, tmp_path, name):
    """A note of a clip that is not annotated any more, which names another file."""
    out, private = tmp_path / "out", tmp_path / "private.mp4"
    segment_recordings(own, out)
    private.write_text("precious")
    (out / "x.mp4").write_text("precious too")
    note = out / ".segment" / "r9_000030.rgb.json"
    note.write_text(json.dumps({"clip_id": "r9_000030", "file": str(private) if name == "absolute" else name}))
    summary = segment_recordings(own, out)
    assert private.exists() and (out / "x.mp4").exists() and (out / "annotations.csv").exists() and note.exists()
    (finding,) = summary.findings
    assert finding.check == "note" and "which is not the clip of this note; both are left alone" in finding.message
    mine = out / "clips/dark/rgb/stop/r9_000030.mp4"
    mine.write_text("cut before")
    note.write_text(json.dumps({"file": "clips/dark/rgb/stop/r9_000030.mp4"}))
    assert not segment_recordings(own, out).findings and not mine.exists() and not note.exists()


@pytest.mark.parametrize("link", [".segment", ".segment/.lock", "clips", "clips/dark/rgb/zz"])
def test_nothing_is_written_or_removed_through_a_link(own, tmp_path, link):
    out, theirs = tmp_path / "out", tmp_path / "theirs"
    segment_recordings(own, out)
    note = json.dumps({"file": "clips/dark/rgb/zz/r9_000030.mp4"})
    (out / ".segment" / "r9_000030.rgb.json").write_text(note)
    place = out / link
    if place.exists():
        place.rename(theirs)
    else:
        theirs.mkdir()
    if link == "clips":
        (theirs / "dark/rgb/zz").mkdir()
    precious = (
        [theirs]
        if theirs.is_file()
        else [theirs / n for n in ("r9_000030.mp4", ".x.4711.mp4", ".lock", "old.rgb.json")]
    )
    for path in precious:
        path.write_text("precious")
    place.symlink_to(theirs)
    before = files_of(theirs)
    with pytest.raises(OSError, match=f"{link}: is a link; nothing is written or removed through it"):
        segment_recordings(own, out)
    assert files_of(theirs) == before and all(path.read_text() == "precious" for path in precious)


def test_a_pipe_in_the_place_of_a_note_is_never_opened(own, tmp_path):
    segment_recordings(own, tmp_path / "out")
    os.mkfifo(tmp_path / "out" / ".segment" / "r9_000030.rgb.json")
    (finding,) = segment_recordings(own, tmp_path / "out").findings
    assert finding.check == "note"


def test_hidden_files_of_others_stay(own, tmp_path):
    segment_recordings(own, tmp_path / "out")
    theirs, ours = (tmp_path / "out/clips/dark/rgb/stop" / name for name in ("._r1_000170.mp4", ".r1_000170.4711.mp4"))
    theirs.write_text("resource fork"), ours.write_text("unfinished")
    segment_recordings(own, tmp_path / "out")
    assert theirs.exists() and not ours.exists()


@pytest.mark.parametrize("name", ["annotations.csv", "subjects.csv"])
def test_a_data_set_of_another_origin_is_not_overwritten(own, tmp_path, name):
    (tmp_path / name).write_text("by hand")
    with pytest.raises(
        OSError, match=f"{name} is not of `data segment` and would be lost; choose another folder with --out"
    ):
        segment_recordings(own, tmp_path)
    assert (tmp_path / name).read_text() == "by hand"


@pytest.mark.parametrize("kill_at", [1, 4, 9, 17])
def test_stopped_at_any_moment_it_goes_on(recordings, done, tmp_path, monkeypatch, kill_at):
    """The process ends just before the n-th clip gets its name."""
    moves = []

    def replace(source, target):
        moves.append(target)
        if len(moves) == kill_at:
            raise KeyboardInterrupt
        os.rename(source, target)

    monkeypatch.setattr(segment_video.os, "replace", replace)
    monkeypatch.setattr(segment, "write_text_atomically", lambda path, text: path.write_text(text))
    with pytest.raises(KeyboardInterrupt):
        segment_recordings(recordings, tmp_path, crf=0)
    assert not (tmp_path / "annotations.csv").exists()
    monkeypatch.undo()
    summary = segment_recordings(recordings, tmp_path, crf=0)
    assert summary.clips == 6 and summary.files_kept == kill_at - 1
    assert public_files(tmp_path) == public_files(done[0])


def test_killed_processes_leave_nothing_half_written(recordings, done, tmp_path):
    command = [sys.executable, "-m", "harness", "data", "segment", str(recordings), "--out", str(tmp_path)]
    process = subprocess.Popen([*command, "--crf", "0", "--jobs", "2"], start_new_session=True)
    try:
        until = time.monotonic() + 600
        while not any((tmp_path / "clips").rglob("r*.mp4")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    whole = public_files(done[0])
    for name, data in public_files(tmp_path).items():
        if not Path(name).name.startswith("."):
            assert data == whole[name]
    assert segment_recordings(recordings, tmp_path, crf=0).clips == 6
    assert public_files(tmp_path) == whole


def test_two_runs_at_once_are_refused(recordings, done):
    with segment._alone(done[0]), pytest.raises(OSError, match="another run is segmenting"):
        segment_recordings(recordings, done[0], crf=0)


def test_a_file_that_cannot_be_written_is_one_line(recordings, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))  # as a full disk: writing fails in the middle of a file
    try:
        with pytest.raises(OSError, match=r"r1_\d+\.mp4: cannot be written \(.*\); fix it and run again"):
            segment_recordings(recordings, tmp_path, crf=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "clips").rglob("*.mp4"))
    assert segment_recordings(recordings, tmp_path, crf=0).clips == 6


def test_everything_that_is_wrong_is_reported_and_the_rest_is_cut(own, tmp_path, capsys):
    with open(own / "segments.csv", "a") as file:
        file.write("r1,forward,310,330\nr1,stop,330,389\nr1,forward,380,480\n")  # short, infrared ends, beyond
        file.write("r2,forward,1,290\nr2,stop,0,60\n")  # long, before infrared starts; both overlap others
        file.write("r1,juggle,1,60\nr9,stop,1,60\nr1,stop,sixty,70\nr1,stop,70,70\nr1,stop\nr1,stop,30,90\n")
    with open(own / "recordings.csv", "a") as file:
        file.write("r3,s0,hall,dark,r3.mp4,,,\nr4,s7,hall,dark,r1_rgb.mp4,,,\nr5,s0,hall,dusk,r1_rgb.mp4,,,\n")
        file.write("r6,s0,hall,dark,,,r1_ir.mp4,\nr7,s0,hall,dark,r1_rgb.mp4,,r1_ir.mp4,late\n../r8,s0,h,dark,a,,,\n")
        file.write("r10,s0,hall,dark,/r1_rgb.mp4,,,\nr11,s0,hall,dark,r1_rgb.mp4,,../r1_ir.mp4,\n")
    with open(own / "segments.csv", "a") as file:
        file.write("r3,stop,1,60\n")
    truncate(own / "r2_depth.mp4", 0.6)
    with pytest.raises(SystemExit) as stop:
        main(["data", "segment", str(own), "--out", str(tmp_path / "o"), "--json", "--jobs", "1", "--crf", "0"])
    out = json.loads(capsys.readouterr().out)
    found = {(f["check"], f["clip_id"]) for f in out["findings"]}
    assert stop.value.code == 1
    assert found >= {("too short", "r1_000310"), ("no match", "r1_000380"), ("unreadable", "r3_000001")}
    assert found >= {("unreadable", f"r2_{n:06d}") for n in (1, 30, 105, 170)}
    text = "\n".join(f["message"] for f in out["findings"])
    for part in (
        "'juggle' is not in classes.txt",
        "recording 'r9' is not in recordings.csv",
        "start_frame must be a whole number from 0 to 10000000, found 'sixty'",
        "window [70, 70) is empty",
        "2 fields where the header has 4",
        "a second gesture of r1 starts at frame 30",
        "subject 's7' is not in subjects.csv",
        "unknown lighting 'dusk'",
        "rgb_file is empty",
        "ir_offset_s must be a number from -86400 to 86400, found 'late'",
        "recording_id '../r8' must be of letters",
        "r3.mp4: no such video",
        "rgb_file '/r1_rgb.mp4' is absolute",
        "ir_file '../r1_ir.mp4' contains '..'",
        "starts at frame 30, before the gesture at frame 1 ends",
    ):
        assert part in text
    clips = read_mgr_dark(str(tmp_path / "o"), "both").clips
    assert out["clips"] == len(clips) == 4 and {c.clip_id[:2] for c in clips} == {"r1"}


def test_bounds_of_length_and_of_coverage(own, tmp_path):
    """45 and 210 frames are in, 44 and 211 out; a gesture before the first infrared frame has no match."""
    lines = [("forward", 0, 55), ("stop", 60, 114), ("stop", 120, 173), ("backward", 13, 265), ("forward", 14, 267)]
    write_table(own / "segments.csv", SEGMENT_COLUMNS, [("r1", *line) for line in lines])
    summary = segment_recordings(own, tmp_path / "out")
    found = {(f.clip_id, f.check) for f in summary.findings if f.clip_id and f.check != "overlap"}
    assert found == {("r1_000000", "no match"), ("r1_000120", "too short"), ("r1_000014", "too long")}
    lengths = {c.clip_id: c.streams["ir"].frames for c in read_mgr_dark(str(tmp_path / "out"), "dark").clips}
    assert lengths == {"r1_000060": 45, "r1_000013": 210}


def test_streams_that_were_not_recorded_and_pairs(own, tmp_path):
    columns = [*RECORDING_COLUMNS, "pair_id"]
    rows = [
        ["r1", "s0", "hall", "dark", "r1_rgb.mp4", "", "r1_ir.mp4", OFFSET, "p"],
        ["r2", "s0", "hall", "daylight", "r2_rgb.mp4", "", "r2_ir.mp4", OFFSET, "p"],
    ]
    write_table(own / "recordings.csv", columns, rows)
    summary = segment_recordings(own, tmp_path / "out", processes=2)
    assert summary.clips == 6 and summary.files_cut == 12
    clips = read_mgr_dark(str(tmp_path / "out"), "both").clips
    assert all(set(clip.streams) == {"rgb", "ir"} for clip in clips)
    assert [clip.pair_id for clip in clips] == ["p_forward_1", "p_backward_1", "p_stop_1"] * 2


def test_tables_as_pandas_writes_them_and_columns_that_nothing_reads(own, tmp_path):
    """Numbers as 30.0, an index, and a misspelt optional column, which is said."""
    for name in ("segments.csv", "recordings.csv"):
        table = pd.read_csv(own / name)
        for column in {"start_frame", "end_frame"}.intersection(table):
            table[column] = table[column].astype(float)
        table.assign(depth_ofset_s=0).to_csv(own / name)
    summary = segment_recordings(own, tmp_path / "out")
    assert summary.clips == 6 and [f.check for f in summary.findings] == ["columns", "columns"]
    assert "nothing reads the columns '', 'depth_ofset_s'" in summary.findings[0].message
    assert "depth_offset_s" in " ".join(f.message for f in summary.findings)


def test_a_person_under_two_names_is_a_finding(own):
    with open(own / "subjects.csv", "a") as file:
        file.write("S1,train\n")
    (finding,) = read_recordings(own).findings
    assert finding.severity == "error"
    assert "subject 'S1' (train) and subject 's1' (test) differ in case" in finding.message


def test_relative_folders_whose_names_hold_a_colon(own, tmp_path, monkeypatch):
    """What FFmpeg would take for a protocol."""
    own.rename(tmp_path / "a:b")
    monkeypatch.chdir(tmp_path)
    assert segment_recordings(Path("a:b"), Path("c:d")).clips == 6
    outcome = verify_dataset("mgr_dark", Path("c:d"))
    assert outcome.clips == 6 and not {"decode", "file"} & {f.check for f in outcome.findings}


def test_missing_tables_are_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["data", "segment", str(tmp_path), "--out", str(tmp_path / "out")])
    err = capsys.readouterr().err
    assert stop.value.code == 1 and "classes.txt" in err and err.count("\n") == 1


CELLS = st.one_of(st.sampled_from(["", "r1", "s0", "dark", "stop", "0", "7", "1e9", "nan"]), st.text(max_size=6))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(data=st.data())
def test_any_tables_give_segments_or_findings(tmp_path, data):
    (tmp_path / "classes.txt").write_text("stop\n")
    (tmp_path / "subjects.csv").write_text("subject,split\ns0,train\n")
    lines = {}
    for name, columns in (("recordings.csv", RECORDING_COLUMNS), ("segments.csv", SEGMENT_COLUMNS)):
        good = ["r1", "s0", "hall", "dark", "a.mp4", "", "", ""] if name[0] == "r" else ["r1", "stop", "0", "60"]
        row = st.tuples(*[st.one_of(st.just(value), CELLS) for value in good])
        lines[name] = data.draw(st.lists(row, max_size=4))
        text = ",".join(columns) + "\n"
        text += "".join(",".join('"' + c.replace('"', '""') + '"' for c in r) + "\n" for r in lines[name])
        text += data.draw(st.text(alphabet='ar1,"\n\r ', max_size=20))
        (tmp_path / name).write_bytes(text.encode())
    found = read_recordings(tmp_path)
    ids = [s.clip_id for s in found.segments]
    assert len(ids) == len(set(ids)) and all("/" not in clip_id for clip_id in ids)
    assert all(0 <= s.start < s.end and s.gesture == "stop" for s in found.segments)
    summary = segment_recordings(tmp_path, tmp_path / "out")
    assert summary.clips == 0 and {f.clip_id for f in summary.findings} >= set(ids)


def test_a_camera_that_slows_down_and_one_on_its_side_are_cut_by_time_and_upright(tmp_path):
    """Colour halves its rate after 5 s; infrared is of constant rate, and stored turned by 90 degrees."""
    slowing = np.concatenate([np.arange(150) / 30, 5 + np.arange(120) / 15])
    even = np.arange(390) / 30
    write(tmp_path / "rgb.mp4", np.repeat(clock_frames(slowing), 3, 3), slowing, crf=0, bf=0)
    turned = np.rot90(clock_frames(even), -1, (1, 2))
    write(tmp_path / "ir.mp4", np.repeat(turned, 3, 3), turn=(90,), seconds=even, crf=0, bf=0)
    row = ["r1", "s0", "hall", "dark", "rgb.mp4", "", "ir.mp4", 0, 22]
    write_table(tmp_path / "recordings.csv", (*RECORDING_COLUMNS, "rgb_fps"), [row])
    write_table(tmp_path / "segments.csv", SEGMENT_COLUMNS, [("r1", "stop", 120, 210)])  # from 4 to 9 s
    write_table(tmp_path / "subjects.csv", ("subject", "split"), [("s0", "train")])
    (tmp_path / "classes.txt").write_text("stop\n")
    summary = segment_recordings(tmp_path, tmp_path / "out")
    assert [(f.check, f.clip_id) for f in summary.findings] == [("rate", "")]
    assert "rgb.mp4: rgb_fps is 22, its time stamps say" in summary.findings[0].message
    clip = read_mgr_dark(str(tmp_path / "out")).clips[0]
    wanted = 4 + np.arange(125) / 25
    for name, times in (("rgb", slowing), ("ir", even)):
        nearest = times[np.abs(times - wanted[:, None]).argmin(1)]
        shown = read_clock(clip.streams[name].path)
        assert shown.shape == (125,) and np.abs(shown - nearest).max() <= 3 * ONE_LEVEL, name
