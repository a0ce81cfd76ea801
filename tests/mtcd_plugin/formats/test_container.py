import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from mtcd_plugin.formats.container import MOST_PIXELS, VideoError, open_video, video_streams
from mtcd_plugin.formats.video import probe, read_frames
from tests.helpers.video_files import add_stream, fill, flip_bits, texture, write


def test_of_several_video_streams_the_first_is_read_and_sound_is_not(tmp_path):
    """FFmpeg's own choice, and decord's, would be the larger one."""
    path = str(tmp_path / "two.mkv")
    small, large = texture(6, 48, 32), 255 - texture(6, 192, 128)
    with av.open(path, "w") as container:
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        streams = [add_stream(container, images, "ffv1", "bgr0") for images in (small, large)]
        noise = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        noise.sample_rate = 8000
        container.mux(sound.encode(noise))
        for stream, images in zip(streams, (small, large), strict=True):
            fill(container, stream, images)
    assert probe(path) == (6, 48, 32, 25.0)
    np.testing.assert_array_equal(read_frames(path, range(6)), small)


def test_a_cover_picture_is_no_video(tmp_path):
    cover, video = texture(1, 192, 128), texture(5, 48, 32)
    for name, contents in (("film.mp4", (cover, video)), ("song.mp4", (cover,))):
        with av.open(str(tmp_path / name), "w") as container:
            sound = container.add_stream("aac", rate=8000, layout="mono")
            streams = [add_stream(container, images, "mjpeg", "yuvj420p") for images in contents]
            streams[0].disposition = Disposition.attached_pic
            noise = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            noise.sample_rate = 8000
            container.mux(sound.encode(noise))
            container.mux(sound.encode())
            for stream, images in zip(streams, contents, strict=True):
                fill(container, stream, images)
    assert probe(str(tmp_path / "film.mp4")) == (5, 48, 32, 25.0)
    with open_video(str(tmp_path / "film.mp4")) as (container, _):
        assert len(video_streams(container)) == 1 < len(container.streams.video)
    with pytest.raises(VideoError, match="song.mp4: holds no video"):
        probe(str(tmp_path / "song.mp4"))


def test_a_title_that_is_no_text_is_no_obstacle(tmp_path):
    path = tmp_path / "title.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "XXXXXXXX"
        fill(container, add_stream(container, texture(3, 48, 32)), texture(3, 48, 32))
    assert path.read_bytes().count(b"XXXXXXXX") == 1
    path.write_bytes(path.read_bytes().replace(b"XXXXXXXX", b"\xff" * 8))
    assert probe(str(path)) == (3, 48, 32, 25.0)


def test_huge_frames_are_refused_before_they_are_decoded(tmp_path):
    side = int(MOST_PIXELS**0.5)
    image = np.zeros((side, side + 16, 3), np.uint8)
    path = write(tmp_path / "large.avi", [image], codec="mjpeg", pixels="yuvj420p")
    with pytest.raises(VideoError, match="large.avi: its frames are .* more than 16,777,216 pixels"):
        read_frames(path, [0])
    done, data = cv2.imencode(".png", image[..., 0])
    (tmp_path / "picture.mp4").write_bytes(data.tobytes())
    with pytest.raises(VideoError, match=r"picture.mp4: cannot be opened as a video \(Invalid argument\)"):
        read_frames(str(tmp_path / "picture.mp4"), [0])


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile real.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nreal.mp4\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_list_of_other_files_is_no_video(tmp_path, text):
    write(tmp_path / "real.mp4", texture(3))
    (tmp_path / "list.mp4").write_text(text)
    with pytest.raises(VideoError, match="list.mp4: cannot be opened as a video"):
        read_frames(str(tmp_path / "list.mp4"), [0])


def test_damage_that_a_decoder_notices_is_an_error(tmp_path):
    """FFmpeg conceals broken codes of MJPEG by itself: of these damaged files, it would refuse far fewer."""
    whole = read_frames(write(tmp_path / "whole.avi", texture(8), codec="mjpeg", pixels="yuvj420p"), range(8))
    refused = concealed = 0
    for seed in range(40):
        path = tmp_path / f"{seed}.avi"
        path.write_bytes((tmp_path / "whole.avi").read_bytes())
        flip_bits(path, 3, seed)
        try:
            read_frames(str(path), range(8))
        except VideoError as error:
            refused += 1
            assert "\n" not in str(error) and path.name in str(error)  # noqa: PT017  not every flip is refused
            with av.open(str(path)) as container:
                try:
                    frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
                except av.error.FFmpegError:
                    continue
            concealed += len(frames) == 8 and np.abs(np.stack(frames).astype(int) - whole).max() > 90
    assert refused >= 8 and concealed >= 5


def test_what_is_done_with_a_container_fails_in_one_line_too(tmp_path):
    path = write(tmp_path / "a.mp4", texture(3))
    with pytest.raises(VideoError, match="a.mp4: cannot be decoded"), open_video(path):
        raise av.error.InvalidDataError(1, "broken\nin two lines")
