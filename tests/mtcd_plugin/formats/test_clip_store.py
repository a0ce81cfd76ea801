import json
import os

import numpy as np
import pytest

from mtcd_plugin.formats.clip_store import (
    ClipStore,
    StoreError,
    groups,
    source_hash,
    store_name,
)
from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.video import read_frames


def random_clips(channels=3, sizes=(5, 1, 9)):
    rng = np.random.default_rng(0)
    return {f"clip/{n}": rng.integers(0, 256, (frames, 12, 16, channels), np.uint8) for n, frames in enumerate(sizes)}


def write(folder, clips, modality="rgb"):
    with ClipStoreWriter(folder, modality, (16, 12), source="made of numbers") as writer:
        for clip_id, frames in clips.items():
            writer.add(clip_id, frames)
    return ClipStore.open(folder)


@pytest.mark.parametrize(("modality", "channels"), [("rgb", 3), ("ir", 1)])
def test_frames_come_back_as_they_went_in(tmp_path, modality, channels):
    clips = random_clips(channels)
    store = write(tmp_path / "store", clips, modality)
    assert (store.modality, store.size, store.channels) == (modality, (16, 12), channels)
    assert store.source == "made of numbers" and store.clip_ids == tuple(clips) and "clip/0" in store
    for clip_id, frames in clips.items():
        np.testing.assert_array_equal(store.clip(clip_id), frames)
        wanted = [len(frames) - 1, 0, 0]
        np.testing.assert_array_equal(store.frames(clip_id, wanted), frames[wanted])
    assert store.verify() == []


def test_a_store_of_videos_has_exactly_the_videos_frames(mgr_dark_root, tmp_path):
    clips = groups(read_mgr_dark(str(mgr_dark_root)).clips, "rgb")["dark"]
    with ClipStoreWriter(tmp_path / "store", "rgb", (20, 20)) as writer:
        for clip in clips:
            stream = clip.streams["rgb"]
            writer.add(clip.clip_id, read_frames(stream.path, range(stream.start, stream.end), (20, 20)))
    store = ClipStore.open(tmp_path / "store")
    for clip in clips[:4]:
        stream = clip.streams["rgb"]
        expected = read_frames(stream.path, [stream.start + k for k in (7, 2, 2)], (20, 20))
        np.testing.assert_array_equal(store.frames(clip.clip_id, [7, 2, 2]), expected)


def test_nothing_is_there_before_the_store_is_complete(tmp_path):
    writer = ClipStoreWriter(tmp_path / "store", "rgb", (16, 12))
    writer.add("a", random_clips()["clip/0"])
    assert not (tmp_path / "store").exists()
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_writing_leaves_nothing(tmp_path):
    def fail():
        with ClipStoreWriter(tmp_path / "store", "rgb", (16, 12)) as writer:
            writer.add("a", random_clips()["clip/0"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_refused(tmp_path):
    writer = ClipStoreWriter(tmp_path / "store", "ir", (16, 12))
    with pytest.raises(ValueError, match="clip a: expected uint8 frames"):
        writer.add("a", random_clips(3)["clip/0"])
    with pytest.raises(ValueError, match="clip a: expected"):
        writer.add("a", np.zeros((0, 12, 16, 1), np.uint8))
    writer.add("a", np.zeros((2, 12, 16, 1), np.uint8))
    with pytest.raises(ValueError, match="in the store already"):
        writer.add("a", np.zeros((2, 12, 16, 1), np.uint8))
    writer.close()
    with pytest.raises(StoreError, match="exists already"):
        ClipStoreWriter(tmp_path / "store", "ir", (16, 12))


def truncate(folder):
    os.truncate(folder / "frames.bin", os.path.getsize(folder / "frames.bin") - 1)


def no_index(folder):
    (folder / "index.json").unlink()


def half_index(folder):
    text = (folder / "index.json").read_text()
    (folder / "index.json").write_text(text[: len(text) // 2])


def changed_index(folder):
    index = json.loads((folder / "index.json").read_text())
    index["clips"]["clip/1"]["first"] = 0
    (folder / "index.json").write_text(json.dumps(index))


def other_index(folder):
    (folder / "index.json").write_text("[]")


@pytest.mark.parametrize("damage", [truncate, no_index, half_index, changed_index, other_index])
def test_a_damaged_store_is_refused_in_one_line(tmp_path, damage):
    write(tmp_path / "store", random_clips())
    damage(tmp_path / "store")
    with pytest.raises(StoreError) as caught:
        ClipStore.open(tmp_path / "store")
    assert str(tmp_path / "store") in str(caught.value) and "\n" not in str(caught.value)


def test_verify_finds_the_clip_with_a_changed_frame(tmp_path):
    write(tmp_path / "store", random_clips())
    with open(tmp_path / "store" / "frames.bin", "r+b") as file:
        file.seek(5 * 3 * 12 * 16 + 7)  # in the only frame of the second clip
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    assert ClipStore.open(tmp_path / "store").verify() == ["clip/1"]


def test_views_cannot_be_written(tmp_path):
    store = write(tmp_path / "store", random_clips())
    with pytest.raises(ValueError, match="read-only"):
        store.clip("clip/0")[0] = 0


def test_an_unknown_clip_is_named(tmp_path):
    with pytest.raises(StoreError, match="clip nobody is not in this store"):
        write(tmp_path / "store", random_clips()).clip("nobody")


def test_the_name_changes_with_what_it_is_made_of(mgr_dark_root, tmp_path):
    clips = read_mgr_dark(str(mgr_dark_root)).clips
    one = source_hash(clips, "rgb")
    assert source_hash(reversed(clips), "rgb") == one
    assert source_hash(clips[1:], "rgb") != one != source_hash(clips, "ir")
    names = {
        store_name("rgb", (64, 64), one),
        store_name("rgb", (64, 32), one),
        store_name("ir", (64, 64), one),
        store_name("rgb", (64, 64), one, "jpeg"),
    }
    assert len(names) == 4
