import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mtcd_plugin.formats.video import LONGEST_REPEAT, VideoError, probe, read_frames, resize, write_video

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


@pytest.mark.parametrize("decoder", ["pyav", "decord", "torchcodec"])
@pytest.mark.parametrize("gray", [False, True])
def test_frames_are_the_ones_asked_for(video, decoder, gray):
    if decoder != "pyav":
        pytest.importorskip(decoder)
    wanted = [17, 3, 3, 39, 0, 26]
    frames = read_frames(video, wanted, gray=gray, decoder=decoder)
    assert frames.dtype == np.uint8 and frames.shape == (6, 24, 32, 1 if gray else 3)
    assert numbers_of(frames) == wanted


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


@pytest.mark.parametrize(
    "content", [b"", b"no video at all" * 50, b"\x00" * 4096], ids=["empty", "text", "zeros"]
)
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


def test_unknown_decoder_lists_the_known_ones(video):
    with pytest.raises(ValueError, match="pyav, decord, torchcodec"):
        read_frames(video, [0], decoder="ffmpeg")


def test_a_decoder_that_is_not_installed_is_named(video):
    code = (
        "import sys; sys.modules['decord'] = None\n"
        "from mtcd_plugin.formats.video import read_frames\n"
        "try:\n    read_frames(sys.argv[1], [0], decoder='decord')\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, video], capture_output=True, text=True, check=True
    )
    assert "'decord' is not installed" in done.stdout


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
    np.testing.assert_array_equal(
        big[..., 0], cv2.resize(frame, (64, 48), interpolation=cv2.INTER_LINEAR)
    )


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
