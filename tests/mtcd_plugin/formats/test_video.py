from pathlib import Path

import cv2
import numpy as np
import pytest

from mtcd_plugin.formats.container import VideoError
from mtcd_plugin.formats.time_stamps import LONGEST_REPEAT
from mtcd_plugin.formats.video import probe, read_frames, resize, write_video
from tests.helpers.video_files import texture, write

FRAMES = 40


def numbered_frames(count=FRAMES, channels=3):
    """Frame i has brightness 20 + 5 i: the number of a decoded frame can be read from its pixels."""
    levels = (20 + 5 * np.arange(count)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, 24, 32, channels)).copy()


def numbers_of(frames):
    return np.rint((frames.reshape(len(frames), -1).mean(1) - 20) / 5).astype(int).tolist()


@pytest.fixture(scope="module", params=["mp4", "avi"])
def video(request, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("video") / f"numbered.{request.param}")
    write_video(path, numbered_frames(), 25, crf=0, gop=12)
    return path


@pytest.mark.parametrize("gray", [False, True])
def test_frames_are_the_ones_asked_for(video, gray):
    wanted = [17, 3, 3, 39, 0, 26]
    frames = read_frames(video, wanted, gray=gray)
    assert frames.dtype == np.uint8 and frames.shape == (6, 24, 32, 1 if gray else 3)
    assert numbers_of(frames) == wanted


@pytest.mark.parametrize("name", ["a:b.mp4", "http:/c.mp4", "pipe:0.mp4", "file:d.mp4", "50%.mp4", "e?f#g.mp4"])
def test_a_relative_name_is_a_file_and_no_protocol(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_video(name, numbered_frames(5), 25, crf=0)
    assert (tmp_path / name).is_file() and probe(name).frames == 5
    assert numbers_of(read_frames(name, [4, 1])) == [4, 1]


def test_every_subset_equals_the_whole(video):
    whole = read_frames(video, range(FRAMES))
    rng = np.random.default_rng(0)
    for _ in range(20):
        wanted = rng.integers(0, FRAMES, size=rng.integers(1, 12))
        np.testing.assert_array_equal(read_frames(video, wanted), whole[wanted])


def test_a_little_beyond_the_end_repeats_the_last_frame(video):
    assert numbers_of(read_frames(video, [38, FRAMES + LONGEST_REPEAT - 1])) == [38, 39]
    assert numbers_of(read_frames(video, [FRAMES])) == [39]


def test_far_beyond_the_end_is_an_error_with_the_numbers(video):
    with pytest.raises(VideoError, match=r"has 40 frames, but frame 45 was asked for") as caught:
        read_frames(video, [0, FRAMES + LONGEST_REPEAT])
    assert video in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no video at all" * 50, b"\x00" * 4096], ids=["empty", "text", "zeros"])
def test_a_file_that_is_no_video_is_one_line(tmp_path, content):
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    for call in (lambda: read_frames(str(path), [0]), lambda: probe(str(path))):
        with pytest.raises(VideoError) as caught:
            call()
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_truncated_file_is_an_error(video, tmp_path):
    data = Path(video).read_bytes()
    path = tmp_path / f"half{Path(video).suffix}"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(VideoError, match="half"):
        read_frames(str(path), range(FRAMES))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.mp4"):
        read_frames(str(tmp_path / "nowhere.mp4"), [0])


@pytest.mark.parametrize("bad", [[], [-1]])
def test_bad_indices(video, bad):
    with pytest.raises(ValueError, match="frame numbers from 0"):
        read_frames(video, bad)


def test_probe_agrees_with_what_was_written(video):
    assert probe(video) == (FRAMES, 32, 24, 25.0)


def test_size_resizes_each_frame_as_resize_does(video):
    whole = read_frames(video, [5, 9])
    small = read_frames(video, [5, 9], size=(16, 12))
    assert small.shape == (2, 12, 16, 3)
    np.testing.assert_array_equal(small, np.stack([resize(frame, (16, 12)) for frame in whole]))


def test_resize_by_area_is_the_mean_of_blocks_and_keeps_one_channel():
    frame = np.random.default_rng(0).integers(0, 256, (24, 32, 1), dtype=np.uint8)
    blocks = frame.reshape(12, 2, 16, 2).mean((1, 3))
    small = resize(frame, (16, 12))
    assert small.shape == (12, 16, 1)
    assert np.abs(small[..., 0] - blocks).max() <= 0.5
    big = resize(frame, (64, 48))
    np.testing.assert_array_equal(big[..., 0], cv2.resize(frame, (64, 48), interpolation=cv2.INTER_LINEAR))


def test_colours_come_as_rgb(tmp_path):
    red = np.zeros((5, 24, 32, 3), np.uint8)
    red[..., 0] = 200
    write_video(str(tmp_path / "red.mp4"), red, 25, crf=0)
    pixel = read_frames(str(tmp_path / "red.mp4"), [2])[0, 12, 16].astype(int)
    assert abs(pixel - [200, 0, 0]).max() <= 4


def test_grey_is_the_first_channel_of_a_grey_video(tmp_path):
    ramp = np.broadcast_to(np.arange(0, 256, 8, dtype=np.uint8)[None, None, :, None], (3, 24, 32, 1))
    write_video(str(tmp_path / "ramp.avi"), ramp, 30, crf=0)
    gray = read_frames(str(tmp_path / "ramp.avi"), [1], gray=True).astype(int)
    rgb = read_frames(str(tmp_path / "ramp.avi"), [1]).astype(int)
    assert np.abs(gray - rgb[..., :1]).max() <= 1 and np.abs(gray[0] - ramp[0]).max() <= 2


def test_writing_replaces_in_one_step_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(str(path), numbered_frames(3), 25)
    first = path.read_bytes()
    write_video(str(path), numbered_frames(3), 25)
    assert path.read_bytes() == first and [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]
    with pytest.raises(ValueError, match="even sizes"):
        write_video(str(path), np.zeros((1, 23, 32, 3), np.uint8), 25)
    with pytest.raises(ValueError, match="uint8"):
        write_video(str(path), np.zeros((1, 24, 32, 3), np.float32), 25)


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix", "tolerance"),
    [
        ("ffv1", "bgr0", "avi", 0),
        ("png", "rgba", "avi", 0),
        ("ffv1", "yuv444p", "mkv", 3),
        ("libx264", "yuv420p10le", "mp4", 25),
        ("mjpeg", "yuvj420p", "avi", 25),
        ("mpeg4", "yuv420p", "avi", 25),
    ],
)
def test_every_pixel_format_gives_rgb_and_one_channel(tmp_path, codec, pixels, suffix, tolerance):
    images = texture(4)
    frames = read_frames(write(tmp_path / f"a.{suffix}", images, codec=codec, pixels=pixels), [1, 2])
    assert frames.shape == (2, 64, 96, 3) and np.abs(frames.astype(int) - images[1:3]).mean() <= tolerance
    gray = read_frames(str(tmp_path / f"a.{suffix}"), [1, 2], gray=True)
    assert gray.shape == (2, 64, 96, 1)
    assert np.abs(gray[..., 0] - frames @ [0.299, 0.587, 0.114]).mean() < 2


def test_frames_that_change_their_size_are_an_error(tmp_path):
    small, large = (
        write(tmp_path / f"{n}.mjpeg", texture(3, n, 64), codec="mjpeg", pixels="yuvj420p") for n in (64, 96)
    )
    both = tmp_path / "both.mjpeg"
    both.write_bytes(Path(small).read_bytes() + Path(large).read_bytes())
    with pytest.raises(VideoError, match="frame 3 is 96x64, the header says 64x64"):
        read_frames(str(both), [5], size=(32, 32))
