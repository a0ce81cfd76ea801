"""Pictures of test clips for the pages of runs: of the clips that were tested on, and never of others."""

import os
import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from harness.data.clips import forget, select
from harness.data.describe import clip_pictures
from harness.data.describe.clip_pictures import MOST_BYTES, draw_clips, encode
from harness.data.describe.moments import MARGIN, THUMB
from harness.ledger.clip_pictures import INDEX, picture_folder, read_index, read_picture
from mtcd_plugin.formats.video import write_video
from tests.helpers.defective_sets import truncate
from tests.helpers.tiny_data import flat_frames

DARK, DAY = "s4_stop_dark", "s4_stop_daylight"
WANTED = {(DARK, "rgb"), (DARK, "ir"), (DAY, "rgb")}


@pytest.fixture
def root(mgr_dark_root, tmp_path):
    """Data of one's own to spoil."""
    return Path(shutil.copytree(mgr_dark_root, tmp_path / "data" / "mgr_dark"))


def config(root):
    return {
        "type": "MGRDarkDataset",
        "data_root": str(root),
        "split": "test",
        "modalities": ["rgb", "ir"],
        "lighting": "both",
    }


def fingerprint(root):
    forget()
    return select(config(root)).fingerprint


@pytest.fixture
def draw(root, tmp_path):
    """Draw clips of ``root`` for runs on a split of some fingerprint; gives what the index says and what was said."""

    def draw(tested_on, wanted=WANTED):
        lines = []
        draw_clips(tmp_path, {("mgr_dark", tested_on): wanted}, {fingerprint(root): config(root)}, lines.append)
        folder = picture_folder(tmp_path, "mgr_dark", tested_on)
        return folder, read_index(folder), lines

    return draw


def video(root, clip_id, modality="rgb"):
    return next((root / "clips").rglob(f"{modality}/*/{clip_id}.mp4"))


def make_anew(path):
    """The video of a clip with other frames."""
    seconds = np.arange(12) / 25
    write_video(str(path), flat_frames(seconds + 2, 3), 25, crf=0)


def frames_at(path, gray, shares=(0.15, 0.4, 0.6, 0.85)):
    """The frames at these shares of a video's length, by PyAV alone, as small as the pictures."""
    with av.open(str(path)) as container:
        every = [f.to_ndarray(format="gray" if gray else "rgb24") for f in container.decode(video=0)]
    chosen = [cv2.resize(every[int(share * len(every))], THUMB) for share in shares]
    return [np.stack([f] * 3, axis=2) if gray else f for f in chosen]


def parts(folder, picture):
    """The moments in a picture, without the outermost pixels, which are those of margins as well once compressed."""
    image = cv2.imdecode(np.frombuffer(read_picture(folder, picture), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert image.shape == (picture.height, picture.width, 3)
    lefts = [k * (THUMB[0] + MARGIN) for k in range(4)]
    return [image[4:-4, left + 4 : left + THUMB[0] - 4].astype(int) for left in lefts]


def differences(parts, frames):
    """Of each moment, the mean over its pixels."""
    return [np.abs(part - frame[4:-4, 4:-4].astype(int)).mean() for part, frame in zip(parts, frames, strict=True)]


def test_pictures_show_the_clips_frames_as_they_are_and_dark_colour_brightened_as_well(root, draw):
    folder, index, lines = draw(fingerprint(root))
    assert not lines and {c: set(s) for c, s in index.items()} == {DARK: {"rgb", "ir"}, DAY: {"rgb"}}
    plain, bright = index[DARK]["rgb"].pictures
    rgb = frames_at(video(root, DARK), gray=False)
    assert max(differences(parts(folder, plain), rgb)) < 4
    assert not plain.brightened and bright.brightened
    gain = 255 / np.quantile(np.stack(rgb), 0.99)
    assert max(differences(parts(folder, bright), [np.clip(f * gain, 0, 255) for f in rgb])) < 6
    (ir,), (day,) = index[DARK]["ir"].pictures, index[DAY]["rgb"].pictures
    assert max(differences(parts(folder, ir), frames_at(video(root, DARK, "ir"), gray=True))) < 4
    assert not day.brightened
    assert all((folder / p.file).stat().st_size <= MOST_BYTES for p in (plain, bright, ir, day))


def test_data_made_anew_are_not_drawn_for_runs_on_the_old(root, draw):
    before = fingerprint(root)
    make_anew(video(root, DARK))
    folder, index, lines = draw(before)
    assert index == {} and not folder.exists() and not lines
    after, index, _ = draw(fingerprint(root))
    assert after != folder and set(index) == {DARK, DAY}


def test_data_that_changed_since_they_were_planned_are_not_drawn(root, tmp_path):
    before, lines = fingerprint(root), []
    make_anew(video(root, DARK))
    draw_clips(tmp_path, {("mgr_dark", before): WANTED}, {before: config(root)}, lines.append)
    assert not picture_folder(tmp_path, "mgr_dark", before).exists()
    assert lines == ["mgr_dark: no pictures of clips on the pages of runs: the clips changed while they ran"]


def test_a_clip_that_cannot_be_read_is_a_line_and_the_others_are_drawn(root, draw):
    truncate(video(root, DARK))
    _, index, lines = draw(fingerprint(root))
    broken = index[DARK]["rgb"]
    assert broken.problem and not broken.pictures and str(root) not in broken.problem
    assert index[DARK]["ir"].pictures and index[DAY]["rgb"].pictures
    assert len(lines) == 1 and f"clip {DARK}, rgb: " in lines[0] and "\n" not in lines[0]


def deadly(folder, clip, stream):
    """As a file that ends the decoder."""
    if clip.clip_id == DARK and stream == "ir":
        os._exit(9)
    return []


def test_a_file_that_ends_its_process_is_a_line(root, draw, monkeypatch):
    monkeypatch.setattr(clip_pictures, "draw_stream", deadly)
    _, index, lines = draw(fingerprint(root))
    assert "ends the process" in index[DARK]["ir"].problem and len(lines) == 1
    assert not index[DARK]["rgb"].problem and not index[DAY]["rgb"].problem


def test_what_is_drawn_is_drawn_once_and_again_where_it_is_gone(root, draw, monkeypatch):
    tested_on = fingerprint(root)
    folder, index, _ = draw(tested_on, {(DARK, "rgb")})
    contents = {p.name: p.read_bytes() for p in folder.glob("*.jpg")}
    monkeypatch.setattr(clip_pictures, "run_apart", lambda *_: pytest.fail("drawn again"))
    assert draw(tested_on, {(DARK, "rgb")})[1] == index
    monkeypatch.undo()
    edited, gone = sorted(folder.glob("*.jpg"))
    edited.write_bytes(b"\xff\xd8\xffother")
    gone.unlink()
    assert draw(tested_on, {(DARK, "rgb")})[1] == index
    assert {p.name: p.read_bytes() for p in folder.glob("*.jpg")} == contents
    (folder / INDEX).write_text("{ half")
    assert draw(tested_on, {(DARK, "rgb")})[1] == index
    assert set(draw(tested_on, {(DAY, "rgb")})[1]) == {DARK, DAY}  # what others had drawn stays


def test_a_picture_with_more_in_it_is_of_lower_quality(root):
    smooth = np.repeat(np.linspace(0, 255, 390).astype(np.uint8)[None, :, None], 72, axis=0).repeat(3, axis=2)
    noisy = np.random.default_rng(0).normal(128, 25, smooth.shape).clip(0, 255).astype(np.uint8)
    best = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    assert len(encode(smooth)) <= MOST_BYTES < len(best) and len(encode(noisy)) < len(best) / 2
