import av
import numpy as np
import pytest

from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.container import VideoError
from mtcd_plugin.formats.time_stamps import STEADY, is_steady, read_time_stamps, window_times
from mtcd_plugin.formats.video import probe
from tests.helpers.video_files import texture, write

SLOWING = [i / 30 for i in range(20)] + [20 / 30 + i / 15 for i in range(10)]  # 30, then 15 frames per second


def window(path, start=0, end=30, fps=30.0):
    return window_times(Stream(path, start, end, fps))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", dict(bf=0)),
        ("a.mp4", dict(bf=2)),  # packets are not in the order of display
        ("a.mov", dict(bf=2)),
        ("a.mkv", dict(bf=2)),
        ("a.avi", dict(bf=0)),
        ("a.mp4", dict(codec="mpeg4")),
        ("a.webm", dict(codec="libvpx-vp9")),
    ],
)
def test_times_are_those_that_were_written_and_those_of_the_decoded_frames(tmp_path, name, options):
    path = write(tmp_path / name, texture(30, 48, 32), SLOWING, **options)
    stamps = read_time_stamps(path)
    assert stamps.frames == 30 and stamps.problem == ""
    np.testing.assert_allclose(stamps.seconds, SLOWING, atol=0.001)  # of Matroska's clock
    if not name.endswith(".avi"):  # AVI gives decoded frames no times but guessed ones
        with av.open(path) as container:
            decoded = np.array([float(f.pts * f.time_base) for f in container.decode(video=0)])
        np.testing.assert_allclose(stamps.seconds, decoded - decoded[0], atol=1e-9)
    assert stamps.rate == pytest.approx(29 / SLOWING[-1], rel=0.01)
    np.testing.assert_allclose(window(path), SLOWING, atol=0.001)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv"])
@pytest.mark.parametrize("fps", [12.5, 25, 30])
def test_a_constant_rate_is_no_more_than_its_number(tmp_path, name, fps):
    path = write(tmp_path / name, texture(30, 48, 32), np.arange(30) / fps)
    assert window(path, fps=fps) is None and window(path, 7, 20, fps) is None
    assert probe(path) == (30, 48, 32, pytest.approx(fps, rel=0.001))


def test_a_file_whose_clock_does_not_begin_at_0_has_its_first_frame_there(tmp_path):
    late = [seconds + 3 for seconds in SLOWING]
    path = write(tmp_path / "late.mkv", texture(len(SLOWING), 48, 32), late)
    with av.open(path) as container:
        assert abs(next(container.decode(video=0)).time - 3) < 0.001
    np.testing.assert_allclose(read_time_stamps(path).seconds, SLOWING, atol=0.001)


def test_the_files_times_count_where_the_annotated_rate_is_another(tmp_path):
    path = write(tmp_path / "a.mp4", texture(30, 48, 32), np.arange(30) / 25)
    np.testing.assert_allclose(window(path, 5, 15, fps=31.0), np.arange(10) / 25, atol=1e-9)


def test_a_window_starts_at_0_and_its_repeated_frames_follow_at_the_annotated_rate(tmp_path):
    path = write(tmp_path / "a.mp4", texture(30, 48, 32), SLOWING)
    expected = [
        *(np.array(SLOWING[18:]) - SLOWING[18]),
        SLOWING[-1] - SLOWING[18] + 1 / 30,
        SLOWING[-1] - SLOWING[18] + 2 / 30,
    ]
    np.testing.assert_allclose(window(path, 18, 32), expected, atol=1e-9)
    with pytest.raises(VideoError, match="has 30 frames, but frame 36 was asked for"):
        window(path, 0, 37)


def test_small_jitter_is_a_constant_rate():
    even = np.arange(50) / 25
    rng = np.random.default_rng(0)
    shift = rng.uniform(-1, 1, 50) * STEADY / 25
    shift[0] = 0
    assert is_steady(even, 25) and is_steady(even + 0.99 * shift, 25)
    late = even + (np.arange(50) >= 25) * 1.01 * STEADY / 25
    assert not is_steady(late, 25)
    assert is_steady(np.arange(210) * 1001 / 24000, 23.976)  # as people round it


@pytest.mark.parametrize(
    ("name", "seconds", "problem"),
    [
        ("a.h264", np.arange(30) / 25, "keeps no time stamps"),
        ("a.mp4", np.arange(30) * 3600, "say 0.000278 frames/s"),
        ("a.nut", np.arange(30) / 600, ""),
    ],
)
def test_time_stamps_that_cannot_be_used_are_named_and_leave_the_annotated_rate(tmp_path, name, seconds, problem):
    path = write(tmp_path / name, texture(30, 48, 32), seconds)
    stamps = read_time_stamps(path)
    assert problem in stamps.problem and bool(problem) == bool(stamps.problem) == (stamps.seconds is None)
    assert stamps.frames == 30
    if problem:
        assert window(path, fps=25.0) is None


def test_a_file_without_frames_is_an_error(tmp_path):
    with av.open(str(tmp_path / "none.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 48, 32
        container.start_encoding()
    with pytest.raises(VideoError, match="none.mp4"):
        read_time_stamps(str(tmp_path / "none.mp4"))
