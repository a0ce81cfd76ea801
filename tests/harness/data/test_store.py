"""The clip store builder: equal frames, kills, two at once, stale and damaged stores, full disks."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from harness.data.store import build as store_build
from harness.data.store import cache, clip_writer, existing, space
from harness.data.store.cache import BUILDER, build_for_datasets, store_specs
from mtcd_plugin.formats.clip_store import FRAMES, ClipStore, StoreError
from mtcd_plugin.formats.clips import fingerprint
from mtcd_plugin.formats.mgr_dark import read_mgr_dark
from mtcd_plugin.formats.video import read_frames, write_video

SIZE = (20, 16)
REPOSITORY = Path(__file__).parents[3]


def config(root, modalities=("rgb", "depth", "ir"), **more):
    return {
        "type": "MGRDarkDataset",
        "data_root": str(root),
        "split": "train",
        "modalities": list(modalities),
        "pipeline": [{"type": "LoadModalities", "size": SIZE}],
        **more,
    }


def build(root, stores, say=lambda line: None, modalities=("rgb", "depth", "ir"), processes=1, **kwargs):
    more = kwargs.pop("more", {})
    return build_for_datasets([config(root, modalities, **more)], stores, processes, say, **kwargs)


@pytest.fixture
def own_root(mgr_dark_root, tmp_path) -> Path:
    """A data set that a test may change; readers of the harness remember a folder, so each has its own."""
    return Path(shutil.copytree(mgr_dark_root, tmp_path / "mgr_dark"))


@pytest.fixture
def decoded(monkeypatch):
    """The clip files that the builder decodes in this process."""
    files = []
    inner = clip_writer.iter_frames
    monkeypatch.setattr(clip_writer, "iter_frames", lambda path, *args: files.append(path) or inner(path, *args))
    return files


def straight(clip, modality):
    stream = clip.streams[modality]
    return read_frames(stream.path, range(stream.start, stream.end), SIZE, modality != "rgb")


@pytest.mark.parametrize("processes", [1, 2])
def test_frames_of_the_store_equal_those_of_the_videos(mgr_dark_root, tmp_path, processes):
    folders = build(mgr_dark_root, tmp_path, processes=processes)
    assert [ClipStore.open(f).modality for f in folders] == ["rgb", "depth", "ir"]
    clips = read_mgr_dark(str(mgr_dark_root)).clips
    for folder in folders:
        store = ClipStore.open(folder)
        assert store.verify() == [] and store.size == SIZE and store.origin == "MGR-Dark dark"
        assert set(store.clip_ids) == {clip.clip_id for clip in clips}
        for clip in clips:
            np.testing.assert_array_equal(store.clip(clip.clip_id), straight(clip, store.modality))
    assert not list(tmp_path.glob(".*.building"))
    assert sorted(p.name for p in folders[0].iterdir()) == [FRAMES, "index.json"]


def test_jpeg_is_exact_for_depth_and_close_for_rgb(own_root, tmp_path):
    rng = np.random.default_rng(0)
    clip = read_mgr_dark(str(own_root)).clips[0]
    noise = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (32, 24), interpolation=cv2.INTER_CUBIC)
    write_video(clip.streams["rgb"].path, np.stack([np.roll(noise, 2 * i, 1) for i in range(12)]), 25)
    write_video(clip.streams["depth"].path, rng.integers(0, 256, (12, 24, 32, 1), np.uint8), 25, crf=0)
    folders = build(own_root, tmp_path / "stores", modalities=("rgb", "depth"), codec="jpeg")
    rgb, depth = (ClipStore.open(folder) for folder in folders)
    assert (rgb.codec, depth.codec) == ("jpeg", "jpeg") and rgb.verify() == depth.verify() == []
    np.testing.assert_array_equal(depth.clip(clip.clip_id), straight(clip, "depth"))
    wanted = [11, 3, 3]
    np.testing.assert_array_equal(depth.frames(clip.clip_id, wanted), straight(clip, "depth")[wanted])
    error = np.abs(rgb.clip(clip.clip_id).astype(int) - straight(clip, "rgb"))
    red_and_blue_swapped = np.abs(rgb.clip(clip.clip_id)[..., ::-1].astype(int) - straight(clip, "rgb"))
    assert 0 < error.mean() < 3 < red_and_blue_swapped.mean()


def test_datasets_read_a_jpeg_store_where_there_is_no_raw_one(mgr_dark_root, tmp_path):
    import mtcd_plugin.register  # noqa: F401
    from mtcd_plugin.transforms.load_modalities import find_store

    build(mgr_dark_root, tmp_path, modalities=("depth",), codec="jpeg")
    source = store_specs([config(mgr_dark_root, ("depth",))], tmp_path)[0].source
    assert find_store(str(tmp_path), "depth", SIZE, source).codec == "jpeg"
    lines = []
    assert build(mgr_dark_root, tmp_path, lines.append, ("depth",))[0].name.startswith("depth-20x16-jpeg")
    assert lines == []
    build(mgr_dark_root, tmp_path, modalities=("depth",), codec="raw")
    assert find_store(str(tmp_path), "depth", SIZE, source).codec == "raw"


def test_what_is_written_to_a_frame_stays_with_the_caller(mgr_dark_root, tmp_path):
    store = ClipStore.open(build(mgr_dark_root, tmp_path, modalities=("rgb",))[0])
    clip_id = store.clip_ids[3]
    before = store.clip(clip_id).copy()
    first = store.private_frames(clip_id, [2, 5, 2])
    first[0][:] = 7
    np.testing.assert_array_equal(first[2], before[2])
    np.testing.assert_array_equal(store.clip(clip_id), before)
    np.testing.assert_array_equal(np.stack(store.private_frames(clip_id, [2, 5])), before[[2, 5]])
    with pytest.raises(IndexError):
        store.private_frames(clip_id, [len(before)])


SLOW_BUILD = """
    import os, sys, time
    from harness.data.store import cache, clip_writer, space
    from harness.data.store import clip_writer
    inner = clip_writer.iter_frames
    def slowly(path, *args):
        with open(sys.argv[3], "a") as file:
            file.write(os.path.basename(path) + "\\n")
        for number, frame in enumerate(inner(path, *args)):
            time.sleep(0.004)
            yield frame
    clip_writer.iter_frames = slowly
    config = eval(sys.argv[1])
    cache.build_for_datasets([config], cache.Path(sys.argv[2]), 1, lambda line: print(line, flush=True), sys.argv[4])
"""


def start_build(root, stores, log, codec="raw"):
    code = textwrap.dedent(SLOW_BUILD)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    arguments = [repr(config(root, ("rgb",))), str(stores), str(log), codec]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for_lines(log: Path, count: int, process) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        if log.exists() and len(log.read_text().splitlines()) >= count:
            return
        time.sleep(0.002)
    raise AssertionError(f"the build did not come to {count} clips: {process.communicate()}")


@pytest.mark.parametrize("codec", ["raw", "jpeg"])
def test_a_killed_build_goes_on_and_decodes_no_finished_clip_again(mgr_dark_root, tmp_path, codec, decoded):
    stores, log = tmp_path / "stores", tmp_path / "log"
    process = start_build(mgr_dark_root, stores, log, codec)
    wait_for_lines(log, 6, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    visible = [p for p in stores.iterdir() if not p.name.startswith(".")]
    assert visible == []
    begun = log.read_text().splitlines()
    lines = []
    folder = build(mgr_dark_root, stores, lines.append, ("rgb",), codec=codec)[0]
    again = {os.path.basename(path) for path in decoded}
    assert not again & set(begun[:5]), "clips before the one that the kill interrupted were finished"
    assert len(again | set(begun)) == 12
    assert any("going on" in line for line in lines)
    store = ClipStore.open(folder)
    assert store.verify() == []
    if codec == "raw":
        for clip in read_mgr_dark(str(mgr_dark_root)).clips:
            np.testing.assert_array_equal(store.clip(clip.clip_id), straight(clip, "rgb"))


def test_half_written_clips_and_journal_lines_are_not_believed(mgr_dark_root, tmp_path, decoded):
    store = store_specs([config(mgr_dark_root, ("rgb",))], tmp_path)[0]
    store_build.begin(store)
    jobs = store_build.jobs_of(store)
    for job in jobs[:4]:
        assert store_build.write_clip(job) == ""
    with open(store.building / FRAMES, "r+b") as file:  # as after a loss of power: the line, but not the bytes
        file.seek(jobs[1].offset + 100)
        file.write(bytes(50))
    journal = store.building / store_build.JOURNAL
    journal.write_text(journal.read_text()[:-20])  # cut short: the last of the four does not count
    decoded.clear()
    folder = build(mgr_dark_root, tmp_path, modalities=("rgb",))[0]
    expected = {job.stream.path for job in jobs} - {jobs[0].stream.path, jobs[2].stream.path}
    assert set(decoded) == expected
    whole = ClipStore.open(folder)
    assert whole.verify() == []
    for clip in read_mgr_dark(str(mgr_dark_root)).clips:
        np.testing.assert_array_equal(whole.clip(clip.clip_id), straight(clip, "rgb"))


def test_a_kill_just_before_the_store_is_published_costs_nothing(mgr_dark_root, tmp_path, monkeypatch, decoded):
    with monkeypatch.context() as patch:
        patch.setattr("harness.data.store.build.complete_store", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            build(mgr_dark_root, tmp_path, modalities=("rgb",))
    decoded.clear()
    assert ClipStore.open(build(mgr_dark_root, tmp_path, modalities=("rgb",))[0]).verify() == []
    assert decoded == []


def _interrupt(*_):
    raise KeyboardInterrupt


def test_an_interrupted_build_says_what_is_kept_and_goes_on(mgr_dark_root, tmp_path, monkeypatch):
    waited, completed = [], store_build.completed

    def interrupted(*args, **more):
        if waited:
            raise KeyboardInterrupt  # as Ctrl-C does, wherever the builder is; it waits nearly always
        waited.append(1)
        return completed(*args, **more)

    monkeypatch.setattr(store_build, "completed", interrupted)
    with pytest.raises(KeyboardInterrupt, match="finished clips are kept, the same command goes on with them"):
        build(mgr_dark_root, tmp_path, modalities=("rgb",), processes=2)
    monkeypatch.undo()
    lines = []
    assert ClipStore.open(build(mgr_dark_root, tmp_path, lines.append, ("rgb",))[0]).verify() == []
    assert any("going on" in line for line in lines)


def test_two_builders_at_once_build_once(mgr_dark_root, tmp_path):
    stores = tmp_path / "stores"
    logs = [tmp_path / "one", tmp_path / "two"]
    processes = [start_build(mgr_dark_root, stores, log) for log in logs]
    out = [process.communicate(timeout=600) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], out
    assert sum(len(log.read_text().splitlines()) for log in logs if log.exists()) == 12
    folder = next(p for p in stores.iterdir() if not p.name.startswith("."))
    assert ClipStore.open(folder).verify() == []


def test_a_store_of_other_videos_is_named_stale_and_not_read(own_root, tmp_path):
    stores = tmp_path / "stores"
    old = build(own_root, stores, modalities=("rgb",))[0]
    moved = own_root.rename(tmp_path / "changed")  # the harness remembers tables by folder
    clip = read_mgr_dark(str(moved)).clips[0]
    with open(clip.streams["rgb"].path, "ab") as file:
        file.write(b"\0")
    lines = []
    new = build(moved, stores, lines.append, ("rgb",))[0]
    assert new != old and old.exists()
    assert sum("stale" in line and str(old) in line for line in lines) == 1


def test_other_sizes_and_data_sets_are_not_stale(mgr_dark_root, nvgesture_root, tmp_path):
    lines = []
    build(mgr_dark_root, tmp_path, lines.append, ("depth",))
    build(mgr_dark_root, tmp_path, lines.append, ("depth",), more={"lighting": "daylight"})
    build(nvgesture_root, tmp_path, lines.append, ("depth",), more={"type": "NvGestureDataset"})
    small = {"pipeline": [{"type": "LoadModalities", "size": (8, 8)}]}
    build(mgr_dark_root, tmp_path, lines.append, ("depth",), more=small)
    assert not any("stale" in line for line in lines)
    assert len([p for p in tmp_path.iterdir() if not p.name.startswith(".")]) == 4


def test_videos_that_change_during_the_build_give_no_store(own_root, tmp_path, monkeypatch):
    inner = store_build.write_clip

    def change(job):
        result = inner(job)
        with open(job.stream.path, "ab") as file:
            file.write(b"\0")
        return result

    monkeypatch.setattr(store_build, "write_clip", change)
    with pytest.raises(ValueError, match="changed while it was built"):
        build(own_root, tmp_path / "stores", modalities=("rgb",))
    assert [p.name for p in (tmp_path / "stores").iterdir()] == [BUILDER]


def zero(folder: Path, share: float = 1.0) -> None:
    """Lose a part of the frames; the file keeps its size."""
    path, before = folder / FRAMES, os.stat(folder / FRAMES)
    with open(path, "r+b") as file:
        file.write(bytes(int(before.st_size * share)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))  # however coarse the file system's clock is


def flip_in_secret(folder: Path) -> None:
    """A bit that rots on the disk: nothing says that the file changed."""
    path, found = folder / FRAMES, os.stat(folder / FRAMES)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def truncate(folder: Path) -> None:
    os.truncate(folder / FRAMES, 100)


def index_becomes_a_folder(folder: Path) -> None:
    (folder / "index.json").unlink()
    (folder / "index.json").mkdir()


def store_becomes_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("")


@pytest.mark.parametrize(
    ("harm", "check", "said"),
    [
        (zero, False, "12 of 12 clips do not match their checksum"),
        (lambda folder: zero(folder, 0.01), False, "1 of 12 clips do not match their checksum"),
        (flip_in_secret, True, "1 of 12 clips do not match their checksum"),
        (truncate, False, "the clip store is incomplete"),
        (lambda folder: (folder / "index.json").write_text("{}"), False, "the clip store's index is damaged"),
        (lambda folder: (folder / FRAMES).unlink(), False, "is missing"),
        (index_becomes_a_folder, False, "is a folder"),
        (store_becomes_a_file, False, "is no folder"),
    ],
)
def test_a_damaged_store_is_built_anew_and_said_once(mgr_dark_root, tmp_path, harm, check, said):
    folder = build(mgr_dark_root, tmp_path, modalities=("ir",))[0]
    whole = (folder / FRAMES).read_bytes()
    harm(folder)
    lines = []
    assert build(mgr_dark_root, tmp_path, lines.append, ("ir",), check=check) == [folder]
    assert lines[0].startswith(f"{folder}: ") and said in lines[0] and lines[0].endswith("; building it anew")
    assert lines[0].count("anew") == 1 and "remove" not in lines[0]
    assert (folder / FRAMES).read_bytes() == whole
    lines.clear()
    build(mgr_dark_root, tmp_path, lines.append, ("ir",))
    assert lines == []


def test_a_store_of_something_else_under_its_name_is_built_anew(mgr_dark_root, own_root, tmp_path):
    import mtcd_plugin.register  # noqa: F401
    from mtcd_plugin.transforms.load_modalities import find_store

    folder = build(mgr_dark_root, tmp_path / "stores", modalities=("ir",))[0]
    clip = read_mgr_dark(str(own_root)).clips[0]
    with open(clip.streams["ir"].path, "ab") as file:
        file.write(b"\0")
    other = build(own_root, tmp_path / "other", modalities=("ir",))[0]
    jpeg = build(mgr_dark_root, tmp_path / "other", modalities=("ir",), codec="jpeg")[0]
    for wrong in (other, jpeg):
        shutil.rmtree(folder)
        shutil.copytree(wrong, folder)
        lines = []
        assert build(mgr_dark_root, tmp_path / "stores", lines.append, ("ir",)) == [folder]
        found = ClipStore.open(wrong)
        text = f"{folder}: is a store of ir 20x16 {found.codec} made from {found.source}; building it anew"
        assert lines[0] == text
        source = store_specs([config(mgr_dark_root, ("ir",))], tmp_path)[0].source
        assert find_store(str(tmp_path / "stores"), "ir", SIZE, source).codec == "raw"


@pytest.fixture
def compared(monkeypatch):
    """The stores whose frames are compared with their checksums."""
    folders = []
    inner = existing._compare
    monkeypatch.setattr(
        existing, "_compare", lambda store, folder, say: folders.append(folder) or inner(store, folder, say)
    )
    return folders


def test_frames_are_compared_once_after_each_change_of_their_file(mgr_dark_root, tmp_path, compared):
    folder = build(mgr_dark_root, tmp_path, modalities=("ir",))[0]
    build(mgr_dark_root, tmp_path, modalities=("ir",))
    assert compared == [], "it was built here"
    os.utime(folder / FRAMES)
    for _ in range(2):
        build(mgr_dark_root, tmp_path, modalities=("ir",))
    assert compared == [folder]
    for damaged in ("", "[]", "{", '{"size": 0}'):  # no note, or one that says nothing
        (note,) = tmp_path.glob(".*.checked")
        note.write_text(damaged)
        build(mgr_dark_root, tmp_path, modalities=("ir",))
    assert compared == [folder] * 5


def test_of_two_codecs_both_are_compared_since_jobs_read_the_first(mgr_dark_root, tmp_path):
    raw, jpeg = (build(mgr_dark_root, tmp_path, modalities=("ir",), codec=codec)[0] for codec in ("raw", "jpeg"))
    zero(raw)
    lines = []
    assert build(mgr_dark_root, tmp_path, lines.append, ("ir",)) == [jpeg]
    assert len(lines) == 1 and lines[0].endswith(f"; removed, {jpeg.name} is read") and not raw.exists()


def test_a_store_on_read_only_storage_is_compared_each_time(mgr_dark_root, tmp_path, compared, monkeypatch):
    folder = build(mgr_dark_root, tmp_path, modalities=("ir",))[0]
    (note,) = tmp_path.glob(".*.checked")
    note.unlink()
    shutil.rmtree(tmp_path / BUILDER)

    def refuse(*args, **more):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(cache.os, "access", lambda *args: False)
    monkeypatch.setattr("harness.data.store.note.write_text_atomically", refuse)
    for _ in range(2):
        lines = []
        assert build(mgr_dark_root, tmp_path, lines.append, ("ir",)) == [folder]
        assert lines == [
            f"{note}: cannot be written (Read-only file system); the store is compared with its checksums at each start"
        ]
    assert compared == [folder] * 2 and not (tmp_path / BUILDER).exists()
    zero(folder)
    monkeypatch.setattr(existing.shutil, "rmtree", refuse)
    with pytest.raises(OSError, match=r"12 of 12 clips do not match.*cannot be removed \(Read-only.*--no-cache"):
        build(mgr_dark_root, tmp_path, modalities=("ir",))


def test_a_broken_video_is_named_the_others_are_kept_and_quarantine_leaves_it_out(own_root, tmp_path, decoded):
    clips = read_mgr_dark(str(own_root)).clips
    Path(clips[4].streams["rgb"].path).write_bytes(b"not a video")
    with pytest.raises(ValueError, match=clips[4].clip_id) as caught:
        build(own_root, tmp_path / "stores", modalities=("rgb",))
    assert "\n" not in str(caught.value) and "quarantine" in str(caught.value)
    quarantine = tmp_path / "bad.txt"
    quarantine.write_text(clips[4].clip_id + "\n")
    decoded.clear()
    folder = build(own_root, tmp_path / "stores", modalities=("rgb",), more={"quarantine": str(quarantine)})[0]
    store = ClipStore.open(folder)
    assert decoded == [] and set(store.clip_ids) == {c.clip_id for c in clips} - {clips[4].clip_id}
    np.testing.assert_array_equal(store.clip(clips[5].clip_id), straight(clips[5], "rgb"))


Usage = namedtuple("Usage", "total used free")


def test_a_store_that_cannot_be_built_stops_neither_the_others_nor_a_run(own_root, tmp_path, caplog):
    from harness.schedule.stores import build_stores

    clip = read_mgr_dark(str(own_root)).clips[4]
    Path(clip.streams["rgb"].path).write_bytes(b"not a video")
    splits = {f"{s}_dataloader": {"dataset": config(own_root, split="all")} for s in ("train", "test")}
    build_stores({"job": SimpleNamespace(config=splits)}, tmp_path / "stores", 1)
    assert {p.name.split("-")[0] for p in (tmp_path / "stores").glob("[!.]*")} == {"depth", "ir"}
    (said,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert said.startswith("no clip store: ") and clip.clip_id in said and said.endswith("read the videos")


def test_it_refuses_rather_than_fill_the_disk(mgr_dark_root, tmp_path, monkeypatch):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: Usage(2**40, 2**40, 300 * 2**20))
    monkeypatch.setattr(space, "MARGIN_BYTES", 300 * 2**20)
    with pytest.raises(OSError, match=r"need 0\.1 MiB .*300\.0 MiB are free") as caught:
        build(mgr_dark_root, tmp_path, modalities=("rgb",))
    assert "\n" not in str(caught.value)
    assert "`python -m harness data cache --codec jpeg`" in str(caught.value)  # run-all has no such option
    assert [p.name for p in tmp_path.iterdir()] == [BUILDER]


def test_sizes_are_said_before_it_starts(mgr_dark_root, tmp_path):
    for codec in ("raw", "jpeg"):
        lines = []
        build(mgr_dark_root, tmp_path / codec, lines.append, ("rgb",), codec=codec)
        assert "12 clips, 144 frames" in lines[0] and "MiB" in lines[0]
        assert "to be written" in lines[1] and "free" in lines[1]


def test_what_is_said_to_be_built_is_what_is_built(own_root, tmp_path):
    clips = read_mgr_dark(str(own_root)).clips
    quarantine, lines = tmp_path / "bad.txt", []
    quarantine.write_text(f"{clips[0].clip_id}\n{clips[5].clip_id}\n")
    build(own_root, tmp_path / "stores", lines.append, ("rgb",), more={"quarantine": str(quarantine)})
    frames = sum(c.streams["rgb"].frames for c in clips if c not in (clips[0], clips[5]))
    assert f": 10 clips, {frames} frames (2 in quarantine left out), " in lines[0]
    assert ": 10 clips, " in lines[-1]


def test_the_rest_of_a_build_is_estimated_once_some_clips_tell_it(mgr_dark_root, tmp_path, monkeypatch):
    now = [0.0]

    def clock():
        now[0] += 6.0  # each clip takes longer than lines are apart
        return now[0]

    monkeypatch.setattr(cache, "time", SimpleNamespace(monotonic=clock))
    lines = []
    (store,) = store_specs([config(mgr_dark_root, ("rgb",))], tmp_path)
    cache.build_store(store, None, 1, lines.append)
    told = [line for line in lines if "clips/s" in line]
    assert [line.endswith("clips/s") for line in told[:4]] == [True] * 4, "one slow clip says nothing of the rest"
    assert told[4].endswith("5 of 12 clips, 0.2 clips/s, about 42 s left")  # 7 clips of 6 s


def test_the_estimate_is_the_size(mgr_dark_root, tmp_path):
    store = store_specs([config(mgr_dark_root, ("rgb",))], tmp_path)[0]
    folder = build(mgr_dark_root, tmp_path, modalities=("rgb",))[0]
    assert space.estimated_bytes(store) == os.path.getsize(folder / FRAMES) == 144 * 20 * 16 * 3


@pytest.mark.parametrize(("codec", "function"), [("raw", "posix_fallocate"), ("raw", "pwrite"), ("jpeg", "write")])
def test_a_full_disk_is_one_line_and_leaves_nothing_as_if_whole(
    mgr_dark_root, tmp_path, monkeypatch, codec, function, decoded
):
    inner = getattr(os, function)
    left = [5]

    def fail(*args):
        left[0] -= 1
        if function == "posix_fallocate" or left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return inner(*args)

    with monkeypatch.context() as patch:
        patch.setattr(store_build.os, function, fail)
        with pytest.raises(OSError, match="disk is full") as caught:
            build(mgr_dark_root, tmp_path, modalities=("rgb",), codec=codec)
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
    assert not [p for p in tmp_path.iterdir() if not p.name.startswith(".")]
    decoded.clear()
    folder = build(mgr_dark_root, tmp_path, modalities=("rgb",), codec=codec)[0]
    assert ClipStore.open(folder).verify() == []
    if codec == "jpeg":
        assert len(decoded) == 12 - 5


def test_a_file_system_that_is_really_full(mgr_dark_root, tmp_path):
    """A tmpfs of 64 KiB, mounted in a namespace of its own; the forecast is made blind for it."""
    code = textwrap.dedent(
        f"""
        import os
        from harness.data.store import cache, space
        space.MARGIN_BYTES = 0
        cache.shutil.disk_usage = lambda path: type("U", (), dict(free=2**40))
        root = cache.Path({str(tmp_path)!r})
        for codec in ("raw", "jpeg"):
            try:
                cache.build_for_datasets([{config(mgr_dark_root, ("rgb",))!r}], root, 2, str, codec)
            except OSError as error:
                print(codec, error)
            print(codec, [n for n in os.listdir(root) if not n.startswith(".")])
        """
    )
    script = tmp_path.with_suffix(".py")
    script.write_text(f"if __name__ == '__main__':\n{textwrap.indent(code, '    ')}")
    mount = f"mount -t tmpfs -o size=64k none {tmp_path} && exec {sys.executable} {script}"
    shell = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount]
    probe = f"mount -t tmpfs -o size=64k none {tmp_path}"
    if not shutil.which("unshare") or subprocess.run([*shell[:-1], probe], capture_output=True).returncode:
        pytest.skip("no right to mount a tmpfs here")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(shell, env=environment, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 4, done
    assert "disk is full" in lines[0] and lines[1] == "raw []"
    assert "disk is full" in lines[2] and lines[3] == "jpeg []"


def test_one_index_entry_per_clip_and_no_absolute_paths(mgr_dark_root, tmp_path):
    folder = build(mgr_dark_root, tmp_path, modalities=("rgb",))[0]
    text = (folder / "index.json").read_text()
    index = json.loads(text)
    clips = read_mgr_dark(str(mgr_dark_root)).clips
    assert len(index["clips"]) == len(clips) and str(mgr_dark_root) not in text
    assert fingerprint(clips, ["rgb"])  # the videos are untouched and all there


def older(folder: Path) -> None:
    """What the version before this one wrote: no times of frames."""
    index = json.loads((folder / "index.json").read_text()) | {"format": 1}
    index.pop("sha256")
    index["clips"] = {name: {k: v for k, v in c.items() if k != "times"} for name, c in index["clips"].items()}
    index["sha256"] = hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()
    (folder / "index.json").write_text(json.dumps(index))


def test_a_store_of_the_version_before_is_refused_and_built_anew(mgr_dark_root, tmp_path, decoded):
    folder = build(mgr_dark_root, tmp_path, modalities=("rgb",))[0]
    older(folder)
    with pytest.raises(StoreError, match=r"store format 1 \(raw\) is not 2 .*; build it anew"):
        ClipStore.open(folder)
    decoded.clear()
    lines = []
    assert build(mgr_dark_root, tmp_path, lines.append, ("rgb",)) == [folder]
    assert len(decoded) == 12 and "store format 1 (raw) is not 2" in lines[0]
    assert ClipStore.open(folder).frame_times == dict.fromkeys(ClipStore.open(folder).clip_ids)


def test_clips_that_a_build_of_the_version_before_left_are_decoded_anew(mgr_dark_root, tmp_path, decoded):
    store = store_specs([config(mgr_dark_root, ("rgb",))], tmp_path)[0]
    store_build.begin(store)
    for job in store_build.jobs_of(store)[:4]:
        store_build.write_clip(job)
    journal = store.building / store_build.JOURNAL
    journal.write_text(journal.read_text().replace('"times": null, ', ""))
    decoded.clear()
    build(mgr_dark_root, tmp_path, modalities=("rgb",))
    assert len(decoded) == 12


@pytest.mark.parametrize("link", ["", FRAMES, store_build.JOURNAL, "index.json"])
def test_no_store_is_built_through_a_link(mgr_dark_root, tmp_path, link):
    stores, theirs = tmp_path / "stores", tmp_path / "theirs"
    building = store_specs([config(mgr_dark_root, ("rgb",))], stores)[0].building
    place = building / link
    place.parent.mkdir(parents=True)
    if link:
        theirs.write_text("precious")
    else:
        theirs.mkdir()
    place.symlink_to(theirs)
    with pytest.raises(OSError, match="is a link; nothing is written or removed through it"):
        build(mgr_dark_root, stores, modalities=("rgb",))
    assert theirs.read_text() == "precious" if link else not list(theirs.iterdir())


def test_a_damaged_store_that_is_a_link_is_left_alone(mgr_dark_root, tmp_path):
    folder = build(mgr_dark_root, tmp_path / "stores", modalities=("rgb",))[0]
    (folder / "index.json").write_text("{}")
    folder.rename(tmp_path / "theirs")
    folder.symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="is a link; nothing is written or removed through it"):
        build(mgr_dark_root, tmp_path / "stores", modalities=("rgb",))
    assert (tmp_path / "theirs" / FRAMES).exists()
