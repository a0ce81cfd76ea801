"""Files of every kind that a camera or a disk may leave: what verification says of them, and what training does."""

import av
import numpy as np
import pytest

from harness.data.verify.dataset import verify_dataset
from harness.data.verify.page import findings_text
from harness.data.verify.videos import scan_video
from mtcd_plugin.formats.video import read_frames
from tests.helpers.tiny_data import write_mgr_dark_tables
from tests.helpers.video_files import add_stream, corners, fill, flip_bits, texture, write

FRAMES = 48
SLOWING = [i / 25 for i in range(24)] + [24 / 25 + 2 * i / 25 for i in range(24)]


def verify(root, fps=25, **files):
    """One clip per file, of rgb alone; returns the outcome and clip -> {(severity, check): message}."""
    rows = []
    for number, (clip_id, file) in enumerate(files.items()):
        row = dict(clip_id=clip_id, subject=f"s{1 + number % 4}", scene="hall", gesture="stop", lighting="dark")
        rows.append(row | dict(rgb_file=file, rgb_fps=fps, rgb_start=0, rgb_end=FRAMES))
    write_mgr_dark_tables(root, rows)
    outcome = verify_dataset("mgr_dark", root)
    found = {clip_id: {} for clip_id in files}
    for f in outcome.findings:
        if f.clip_id:
            found[f.clip_id][f.severity, f.check] = f.message
    return outcome, found


def test_files_that_are_not_there_are_not_decoded(tmp_path):
    write(tmp_path / "a.mp4", texture(FRAMES))
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("no video")
    outcome, found = verify(tmp_path, a="a.mp4", b="gone.mp4", c="empty.mp4", d="text.mp4", e="lost.mp4")
    assert (outcome.clips, outcome.files, outcome.decoded) == (5, 5, 1)
    assert outcome.as_json()["decoded"] == 1
    assert "5 clips, 1 of 5 files decoded, 4 errors" in findings_text(outcome)
    assert "gone.mp4 does not exist" in found["b"]["error", "file"]


def test_a_camera_that_slows_down_is_named(tmp_path):
    write(tmp_path / "slow.mp4", texture(FRAMES), SLOWING)
    write(tmp_path / "even.mp4", texture(FRAMES, seed=1), np.arange(FRAMES) / 25)
    fps = round((FRAMES - 1) / SLOWING[-1], 3)  # as its header has it
    _, found = verify(tmp_path, fps, slow="slow.mp4")
    assert set(found["slow"]) == {("warning", "variable rate"), ("warning", "rate")}  # 25 are expected of MGR-Dark
    message = found["slow"]["warning", "variable rate"]
    away = np.abs(np.array(SLOWING) - np.arange(FRAMES) * SLOWING[-1] / (FRAMES - 1)).max()
    assert "40 to 80 ms apart" in message and f"up to {away * 1000:.0f} ms" in message
    assert verify(tmp_path, even="even.mp4")[1]["even"] == {}


def test_a_file_without_time_stamps_is_named(tmp_path):
    write(tmp_path / "raw.h264", texture(FRAMES))
    _, found = verify(tmp_path, raw="raw.h264")
    assert set(found["raw"]) == {("warning", "time stamps")}
    assert (
        "its container keeps no time stamps; frames are taken as 1/25 s apart" in found["raw"]["warning", "time stamps"]
    )


def test_sizes_are_those_of_frames_as_they_are_shown(tmp_path):
    for number in range(3):
        write(tmp_path / f"{number}.mp4", texture(FRAMES, 64, 48, number))
    write(tmp_path / "side.mp4", texture(FRAMES, 48, 64, 3), turn=(90,))  # shown 64 x 48
    write(tmp_path / "upright.mp4", texture(FRAMES, 64, 48, 4), turn=(90,))  # shown 48 x 64
    files = {f"c{number}": f"{number}.mp4" for number in range(3)}
    _, found = verify(tmp_path, **files, side="side.mp4", upright="upright.mp4")
    assert found["side"] == {} and set(found["upright"]) == {("warning", "size")}
    assert "rgb is 48x64 where most are 64x48" in found["upright"]["warning", "size"]
    write(tmp_path / "askew.mp4", [corners()] * FRAMES, turn=(37,))
    assert "not by quarter turns" in verify(tmp_path, askew="askew.mp4")[1]["askew"]["error", "decode"]


def test_several_video_streams_and_deep_pixels_are_named(tmp_path):
    both = texture(FRAMES, 64, 48), texture(FRAMES, 96, 64, seed=1)
    with av.open(str(tmp_path / "two.mkv"), "w") as container:
        streams = [add_stream(container, images) for images in both]
        for stream, images in zip(streams, both, strict=True):
            fill(container, stream, images)
    write(tmp_path / "deep.mkv", texture(FRAMES, seed=2), codec="ffv1", pixels="gray16le")
    assert "has 2 video streams; the first is read" in verify(tmp_path, two="two.mkv")[1]["two"]["warning", "streams"]
    assert "rgb is stored with 16 bits a pixel" in verify(tmp_path, deep="deep.mkv")[1]["deep"]["warning", "bits"]


def test_damage_that_the_decoder_only_logs_is_named(tmp_path):
    path = write(tmp_path / "a.avi", texture(FRAMES), codec="ffv1", pixels="bgr0", level=3, slicecrc=1)
    before = read_frames(path, range(FRAMES))
    (tmp_path / "no.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 400)
    complaints = [scan_video(str(tmp_path / "no.mp4")).complaint for _ in range(3)]
    assert [*complaints, scan_video(path).complaint] == [""] * 4, "what is logged of one file is not told of another"
    flip_bits(path, 1, 0)
    assert (read_frames(path, range(FRAMES)) != before).any(), "FFmpeg does not refuse it"
    _, found = verify(tmp_path, a="a.avi")
    assert "complain: slice CRC mismatch" in found["a"]["error", "decode"]
    assert av.logging.get_level() is None


@pytest.mark.parametrize(("codec", "pixels"), [("mjpeg", "yuvj420p"), ("libx264", "yuv420p"), ("mpeg4", "yuv420p")])
def test_a_damaged_file_that_is_refused_in_training_is_an_error_here(tmp_path, codec, pixels):
    refused = 0
    for seed in range(12):
        path = write(tmp_path / f"{seed}.avi", texture(FRAMES, 48, 32, seed), codec=codec, pixels=pixels, bf=0, g=12)
        flip_bits(path, 6, seed)
        _, found = verify(tmp_path, a=f"{seed}.avi")
        named = any(severity == "error" for severity, _ in found["a"])
        try:
            read_frames(path, range(FRAMES))
        except ValueError:
            refused += 1
            assert named
        else:
            assert not named
    assert refused >= 3
