import av
import cv2
import numpy as np
import pytest

from mtcd_plugin.formats.container import VideoError
from mtcd_plugin.formats.video import probe, read_frames, resize
from tests.helpers.video_files import corners, texture, write

TURNS = [
    (degrees, mirrored, flipped)
    for degrees in (0, 90, 180, 270)
    for mirrored in (False, True)
    for flipped in (False, True)
]


@pytest.mark.parametrize("turn", TURNS)
def test_frames_are_shown_as_the_display_matrix_says(tmp_path, turn):
    """``set_display_rotation``: counter-clockwise, and mirrored after that."""
    path = write(tmp_path / "turned.mp4", [corners()] * 3, turn=turn, crf=2)
    degrees, mirrored, flipped = turn
    expected = np.rot90(corners(), degrees // 90)
    expected = expected[:, ::-1] if mirrored else expected
    expected = expected[::-1] if flipped else expected
    inside = np.s_[4:-4:8, 4:-4:8]  # away from the edges of colours
    frame = read_frames(path, [2])[0]
    assert frame.shape == expected.shape
    assert np.abs(frame[inside].astype(int) - expected[inside]).max() <= 4
    assert probe(path)[1:3] == (frame.shape[1], frame.shape[0])
    np.testing.assert_array_equal(read_frames(path, [2], size=(20, 30))[0], resize(frame, (20, 30)))
    gray = read_frames(path, [2], gray=True)[0, ..., 0]
    assert np.abs(gray.astype(float) - frame @ [0.299, 0.587, 0.114])[inside].max() <= 4


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turned_frames_are_those_of_opencv(tmp_path, degrees):
    path = write(tmp_path / "turned.mp4", texture(3), turn=(degrees,), crf=2)
    capture = cv2.VideoCapture(path)
    theirs = [capture.read()[1][..., ::-1] for _ in range(3)]
    ours = read_frames(path, range(3))
    assert ours.shape == np.stack(theirs).shape
    assert np.abs(ours.astype(int) - theirs).mean() < 2


def test_a_turn_by_other_than_quarters_is_refused(tmp_path):
    path = write(tmp_path / "askew.mp4", [corners()] * 3, turn=(37,))
    for call in (lambda: read_frames(path, [0]), lambda: probe(path)):
        with pytest.raises(VideoError, match="askew.mp4: .*not by quarter turns"):
            call()


def test_the_file_itself_is_on_its_side(tmp_path):
    """Without the matrix the first test would be of nothing."""
    path = write(tmp_path / "turned.mp4", [corners()] * 3, turn=(90,), crf=2)
    with av.open(path) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height) == (64, 48)
