"""When frames of a video that belongs to no data set were taken."""

from fractions import Fraction

import av
import numpy as np
import pytest

from harness.inference import streams
from harness.inference.streams import streams_of
from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.sampling import align, pick_frames, uniform_times
from mtcd_plugin.formats.time_stamps import TimeStamps, window_times
from mtcd_plugin.formats.video import write_video
from tests.helpers.video_files import add_stream, fill, texture, write

BLACK = np.zeros((12, 16, 16, 3), np.uint8)


def write_at(path, milliseconds):
    """A video whose frames have these time stamps."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for image, moment in zip(BLACK, milliseconds, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = int(moment), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def sampled(found, count=4):
    timeline = align(found, lambda name: window_times(found[name]))
    return {
        m: chosen.tolist() for m, chosen in pick_frames(timeline.stamps, uniform_times(count, timeline.window)).items()
    }


@pytest.mark.parametrize("fps", [1, 25, 1000])
def test_a_file_of_a_usual_rate_is_as_a_data_set_has_it(tmp_path, fps):
    write_video(tmp_path / "a.mp4", BLACK, fps)
    assert streams_of({"rgb": tmp_path / "a.mp4"}) == {"rgb": Stream(str(tmp_path / "a.mp4"), 0, 12, fps)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize("fps", [0.4, 0.05])
def test_slow_frames_are_taken_as_those_of_any_rate(tmp_path, name, fps):
    write_video(tmp_path / name, BLACK, fps)
    found = streams_of({"rgb": tmp_path / name})
    assert found["rgb"].fps == pytest.approx(fps, rel=1e-3)
    assert sampled(found) == {"rgb": [1, 4, 7, 10]}  # centres of four parts of 0 to 11: 1.4, 4.1, 6.9, 9.6


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_long_gap_counts(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_at(path, [0, 100, 200, 300, 400, 500, 600, 700, 800, 60_000, 60_100, 60_200])
    assert sampled(streams_of({"rgb": path}), 6) == {"rgb": [8, 8, 8, 9, 9, 9]}


@pytest.mark.filterwarnings("error")
def test_a_slow_stream_and_a_usual_one_stay_in_step(tmp_path):
    write_video(tmp_path / "rgb.mp4", BLACK, 0.5)  # frame 11 at 22 s
    write_video(tmp_path / "depth.mp4", np.zeros((34, 16, 16, 1), np.uint8), 1.5)  # frame 33 at 22 s
    found = streams_of({"rgb": tmp_path / "rgb.mp4", "depth": tmp_path / "depth.mp4"})
    assert sampled(found, 4) == {"rgb": [1, 4, 7, 10], "depth": [3, 12, 21, 30]}


@pytest.mark.filterwarnings("error")
def test_one_slow_frame_is_the_only_one(tmp_path):
    write_video(tmp_path / "a.mp4", BLACK[:1], 0.4)
    assert sampled(streams_of({"rgb": tmp_path / "a.mp4"}), 3) == {"rgb": [0, 0, 0]}


def test_what_is_not_read_of_a_file_and_a_single_frame_are_said(tmp_path, caplog):
    """The same of bits and streams as ``data verify`` says."""
    caplog.set_level("INFO")
    write(tmp_path / "deep.mkv", texture(6), codec="ffv1", pixels="gray16le")
    write(tmp_path / "ten.mkv", texture(6), codec="ffv1", pixels="yuv420p10le")
    write(tmp_path / "one.mkv", texture(1), codec="ffv1", pixels="gray")
    with av.open(str(tmp_path / "two.mkv"), "w") as container:
        streams = [add_stream(container, texture(6), codec="ffv1", pixels="gray") for _ in range(2)]
        for stream in streams:
            fill(container, stream, texture(6))
    for name in ("deep", "ten", "one", "two"):
        streams_of({"rgb": tmp_path / f"{name}.mkv"})
    scaled = "bits a pixel; the upper 8 are read; scale it to 8 bits beforehand if the lower ones matter"
    assert caplog.messages == [
        f"note: {tmp_path}/deep.mkv: is stored with 16 {scaled}",
        f"note: {tmp_path}/ten.mkv: is stored with 10 {scaled}",
        f"note: {tmp_path}/one.mkv: has one frame, which is taken for the whole gesture",
        f"note: {tmp_path}/two.mkv: has 2 video streams; the first is read; check that it is the right one, or keep "
        "only that one in the file",
    ]
    caplog.clear()
    write_video(tmp_path / "a.mp4", BLACK, 25)
    streams_of({"rgb": tmp_path / "a.mp4"})
    assert not caplog.messages


def test_time_stamps_that_cannot_be_used_are_said_and_without_a_rate_refused(tmp_path, monkeypatch, caplog):
    path = tmp_path / "a.mp4"
    write_video(path, BLACK, 25)
    caplog.set_level("INFO")
    monkeypatch.setattr(streams, "read_time_stamps", lambda path: TimeStamps(12, None, 25.0, "they go back"))
    assert streams_of({"rgb": path})["rgb"].times is None
    assert caplog.messages == [f"note: {path}: they go back; the 25 frames/s of its header count"]
    monkeypatch.setattr(streams, "read_time_stamps", lambda path: TimeStamps(12, None, 0.0, "they go back"))
    with pytest.raises(ValueError, match=r"a\.mp4: has no frame rate in its header, and they go back"):
        streams_of({"rgb": path})
