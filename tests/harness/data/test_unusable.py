"""What is said of a file that is not there, or is no video, beside that."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.data.clips import forget, select
from harness.data.unusable import more_of
from harness.data.verify.dataset import verify_dataset
from tests.helpers.tiny_data import write_mgr_dark
from tests.helpers.video_files import texture, write

NFC, NFD = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")


@pytest.mark.parametrize(("there", "asked"), [(NFC, NFD), (NFD, NFC)])
@pytest.mark.parametrize("path", ["{}.mp4", "{}/clip.mp4", "a/{}/b/clip.mp4"])
def test_the_same_name_in_another_unicode_form_is_said(tmp_path, there, asked, path):
    file = tmp_path / path.format(there)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    said = more_of(tmp_path / path.format(asked))
    form = "NFC, not NFD" if there == NFC else "NFD, not NFC"
    assert f"has that name in another Unicode form ({form})" in said
    assert said.startswith(f"; {tmp_path / path.partition('{}')[0]}".rstrip("/"))
    assert not more_of(file)


def test_other_capitals_are_said_and_nothing_of_what_is_not_like_it(tmp_path):
    (tmp_path / "clip.MP4").touch()
    assert more_of(tmp_path / "clip.mp4") == f"; {tmp_path} has clip.MP4, in other capitals"
    assert not more_of(tmp_path / "other.mp4") and not more_of(tmp_path / "no" / "folder" / "clip.mp4")
    assert not more_of("clip that is not there.mp4")


@pytest.mark.parametrize(("suffix", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("gif", "GIF"), ("bmp", "BMP")])
def test_a_picture_is_called_one_whatever_its_name(tmp_path, suffix, kind):
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / f"a.{suffix}")
    (tmp_path / f"a.{suffix}").rename(tmp_path / "a.mp4")
    assert more_of(tmp_path / "a.mp4").startswith(f"; it is a picture ({kind})")


def test_a_video_and_what_is_nothing_are_not(tmp_path):
    assert not more_of(write(tmp_path / "a.mp4", texture(2)))
    (tmp_path / "b.mp4").write_text("text")
    assert not more_of(tmp_path / "b.mp4")


def test_planning_and_verification_say_it_of_a_clips_file(tmp_path):
    root = tmp_path / "mgr_dark"
    write_mgr_dark(root)
    (root / "dataset.json").unlink()
    first, second, *_ = sorted((root / "clips" / "dark" / "rgb").rglob("*.mp4"))
    first.rename(first.with_name(first.name.upper()))
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(second, format="png")
    said = [f.message for f in verify_dataset("mgr_dark", root).findings if f.message.startswith("rgb file")]
    found = {Path(text.split()[2]).name: text for text in said}
    assert found[first.name].endswith(f"does not exist; {first.parent} has {first.name.upper()}, in other capitals")
    assert "cannot be opened as a video (Invalid argument); it is a picture (PNG)" in found[second.name]
    forget()
    with pytest.raises(FileNotFoundError, match=f"has {first.name.upper()}, in other capitals$"):
        select({"type": "MGRDarkDataset", "data_root": str(root)})
