"""Synthetic sets of which parts are made: their bytes, what is made later, and what commands say of them."""

import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from harness.cli import main
from harness.data.builder import MAKING, lock_of_set, locked
from harness.data.clips import check_folder, forget, select
from harness.data.describe.contact_sheet import contact_sheet
from harness.data.describe.statistics import dataset_statistics
from harness.data.synthesize import build, mgr_dark_files, nvgesture_files, synthesize
from harness.data.synthesize.mgr_dark import plan_takes
from harness.data.synthesize.nvgesture import Take
from harness.data.verify.dataset import verify_dataset

TAKES = [t for t in plan_takes(0) if t.pair_id in ("s01_g01_t1", "s03_g07_t1")]
RECORDINGS = [Take(9, 7, 9, "train"), Take(25, 20, 25, "test")]
LINE = (
    "not made yet: dark depth, daylight depth, daylight ir; "
    "`run-all` makes what its cells read, `data synthesize` makes all"
)


@pytest.fixture(autouse=True)
def few_takes(monkeypatch):
    monkeypatch.setattr(mgr_dark_files, "plan", lambda seed, preset: TAKES)
    monkeypatch.setattr(nvgesture_files, "plan", lambda seed, preset: RECORDINGS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Both sets as they are made whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mgr_dark_files, "plan", lambda seed, preset: TAKES)
        patch.setattr(nvgesture_files, "plan", lambda seed, preset: RECORDINGS)
        root = tmp_path_factory.mktemp("whole")
        synthesize(root, ["mgr_dark", "nvgesture"], "smoke", jobs=1)
        return root


def files(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in Path(root).rglob("*") if p.is_file()}


def made(root, name, *parts):
    """Make parts of a set, none for all of it; returns what was written a take at a time."""
    seen = []
    synthesize(root, {name: parts or None}, "smoke", jobs=1, progress=lambda *a: seen.append(a[1:]))
    return seen


def about(root):
    return json.loads((root / "dataset.json").read_text())


def test_parts_have_the_bytes_of_the_whole_and_are_completed_to_it(whole, tmp_path):
    root, every = tmp_path / "mgr_dark", files(whole / "mgr_dark")
    assert made(tmp_path, "mgr_dark", "dark ir", "dark rgb") == [(1, 2), (2, 2)]  # the dark takes alone
    assert about(root)["parts"] == ["dark rgb", "dark ir"] and "videos" not in about(root)
    videos = {name for name in files(root) if name.endswith(".mp4")}
    assert videos == {n for n in every if n.startswith(("clips/dark/rgb", "clips/dark/ir"))}
    here = files(root)
    assert all(here[name] == every[name] for name in here if name != "dataset.json")
    assert made(tmp_path, "mgr_dark", "dark rgb") == []  # it is there
    times = {name: (root / name).stat().st_mtime_ns for name in videos}
    assert len(made(tmp_path, "mgr_dark", "daylight rgb", "dark rgb")) == 2
    assert about(root)["parts"] == ["dark rgb", "dark ir", "daylight rgb"]
    made(tmp_path, "mgr_dark")
    assert files(root) == every
    assert times == {name: (root / name).stat().st_mtime_ns for name in videos}


def test_modalities_of_nvgesture_alone(whole, tmp_path):
    root, every = tmp_path / "nvgesture", files(whole / "nvgesture")
    made(tmp_path, "nvgesture", "depth", "ir")
    here = files(root)
    assert {Path(n).stem for n in here if n.endswith(".avi")} == {"sk_depth", "duo_left", "duo_right"}
    assert all(here[name] == every[name] for name in here if name != "dataset.json")
    outcome = verify_dataset("nvgesture", root)
    assert not [f for f in outcome.findings if f.check in ("file", "missing stream")]
    (said,) = [f.message for f in outcome.findings if f.check == "parts"]
    assert said.startswith("not made yet: rgb; ")
    made(tmp_path, "nvgesture")
    assert files(root) == every


def test_a_set_that_was_made_whole_before_is_taken_as_it_is(whole, monkeypatch):
    monkeypatch.setattr(build, "_build", lambda *a: pytest.fail("a whole set was written again"))
    assert "parts" not in about(whole / "mgr_dark")
    made(whole, "mgr_dark", "dark rgb")
    made(whole, "mgr_dark")


@pytest.mark.parametrize("wanted", [(), ("dark rgb", "dark ir")])
def test_what_was_interrupted_goes_on(whole, tmp_path, wanted):
    """In the first part (of a whole set) and in a later one; what is there stays, and is said to be there only then."""
    root, every = Path(shutil.copytree(whole / "mgr_dark", tmp_path / "mgr_dark")), files(whole / "mgr_dark")
    (lost,) = (root / "clips" / "dark" / "ir").rglob("s01*.mp4")
    lost.unlink()
    for later in (root / "clips" / "daylight" / "depth").rglob("*.mp4"):
        later.unlink()
    described = about(root)
    if wanted:
        (root / "dataset.json").write_text(json.dumps({**described, "parts": ["dark rgb"]}))
    else:
        (root / "dataset.json").rename(root / build.UNFINISHED)
    made(tmp_path, "mgr_dark", "dark rgb", "dark ir")
    assert lost.read_bytes() == every[str(lost.relative_to(root))]
    assert about(root)["parts"] == ["dark rgb", "dark ir"] and not (root / build.UNFINISHED).exists()
    made(tmp_path, "mgr_dark")
    assert files(root) == every


def test_a_kill_in_a_later_part_leaves_the_parts_that_were_there(whole, tmp_path, monkeypatch):
    root = Path(shutil.copytree(whole / "mgr_dark", tmp_path / "mgr_dark"))
    (root / "dataset.json").write_text(json.dumps({**about(root), "parts": ["dark rgb"]}))

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(mgr_dark_files, "write_take", killed)
    with pytest.raises(KeyboardInterrupt, match="mgr_dark: finished clips are kept, the same command goes on"):
        made(tmp_path, "mgr_dark", "dark ir")
    assert about(root)["parts"] == ["dark rgb"]


def test_a_part_that_is_none_is_named(tmp_path):
    with pytest.raises(ValueError, match="unknown part of mgr_dark 'dark it' .near: dark ir"):
        made(tmp_path, "mgr_dark", "dark it")


@pytest.fixture
def in_parts(mgr_dark_root, tmp_path):
    """The tiny set as the usual plan wants it made, dark RGB and infrared and daylight RGB."""
    root = Path(shutil.copytree(mgr_dark_root, tmp_path / "mgr_dark"))
    for place in ("dark/depth", "daylight/depth", "daylight/ir"):
        shutil.rmtree(root / "clips" / place)
    described = {"name": "MGR-Dark", "synthetic": True, "parts": ["dark rgb", "dark ir", "daylight rgb"]}
    (root / "dataset.json").write_text(json.dumps(described))
    return root


def test_commands_say_what_is_not_made_and_find_nothing_wrong_with_it(in_parts, mgr_dark_root, tmp_path, capsys):
    def faults(root):
        return {(f.severity, f.check) for f in verify_dataset("mgr_dark", root).findings if f.severity != "note"}

    outcome = verify_dataset("mgr_dark", in_parts)
    assert (outcome.clips, outcome.files, outcome.decoded) == (24, 36, 36)
    assert faults(in_parts) <= faults(mgr_dark_root)
    assert [(f.severity, f.message) for f in outcome.findings if f.check == "parts"] == [("note", LINE)]
    found = dataset_statistics(in_parts)
    assert found["unmade"] == LINE and found["left_out"] == [] and set(found["resolution"]) == {"rgb", "ir"}
    assert contact_sheet(in_parts, tmp_path / "sheet.png") == []
    with pytest.raises(SystemExit):
        main(["data", "sheet", str(in_parts), "--out", str(tmp_path / "sheet.png")])
    assert LINE in capsys.readouterr().err
    assert "unmade" not in dataset_statistics(mgr_dark_root)


def test_a_file_that_is_lost_of_a_part_that_is_made_is_still_missed(in_parts):
    next((in_parts / "clips" / "dark" / "ir").rglob("*.mp4")).unlink()
    assert [f.check for f in verify_dataset("mgr_dark", in_parts).findings if f.severity == "error"].count("file") == 1


THIS = f"process {os.getpid()} on "
DARK_RGB = {"type": "MGRDarkDataset", "split": "train", "modalities": ["rgb"], "lighting": "dark"}


def dataset(root, **more):
    forget()
    return {**DARK_RGB, "data_root": str(root), **more}


def test_while_a_set_is_made_readers_say_who_makes_it(whole, tmp_path, monkeypatch):
    """From the first take to the last: whatever reads the half-made set."""
    root = tmp_path / "mgr_dark"
    said, write = [], mgr_dark_files.write_take

    def write_and_look(*args, **more):
        write(*args, **more)
        for read in (lambda: select(dataset(root)), lambda: verify_dataset("mgr_dark", root)):
            with pytest.raises(FileNotFoundError) as caught:
                read()
            said.append(str(caught.value))
        with pytest.raises(FileNotFoundError) as caught:
            check_folder(str(tmp_path / "nvgesture"))  # whose turn has not come yet
        said.append(str(caught.value))

    monkeypatch.setattr(mgr_dark_files, "write_take", write_and_look)
    made(tmp_path, "mgr_dark")
    assert len(said) == 3 * len(TAKES) and all(THIS in line and "run the same command again" in line for line in said)
    assert select(dataset(root)).clips
    with pytest.raises(FileNotFoundError, match="--data-root names the folder that holds nvgesture"):
        check_folder(str(tmp_path / "nvgesture"))


def test_a_part_that_is_being_added_is_not_planned_and_the_others_are(in_parts):
    with locked(lock_of_set(in_parts)):
        assert select(dataset(in_parts)).clips
        with pytest.raises(FileNotFoundError, match=f"not made yet: dark depth; {THIS}.* is adding to it"):
            select(dataset(in_parts, modalities=["depth"]))
    with pytest.raises(FileNotFoundError, match="not made yet: dark depth; run-all without --data-root makes"):
        select(dataset(in_parts, modalities=["depth"]))


def test_a_set_whose_making_was_cut_short_is_not_planned(whole, tmp_path):
    root = Path(shutil.copytree(whole / "mgr_dark", tmp_path / "mgr_dark"))
    (root / "dataset.json").rename(root / build.UNFINISHED)
    with pytest.raises(FileNotFoundError, match="was not made to its end; run-all without --data-root goes on with it"):
        select(dataset(root))


def test_two_that_want_a_set_make_it_once(whole, tmp_path, monkeypatch, caplog):
    other, taken = [], []
    write = mgr_dark_files.write_take

    def write_slowly(*args, **more):
        if not other:
            other.append(threading.Thread(target=made, args=(tmp_path, "mgr_dark")))
            other[0].start()
            while "waiting for it" not in caplog.text:
                time.sleep(0.01)
        taken.append(1)
        write(*args, **more)

    monkeypatch.setattr(mgr_dark_files, "write_take", write_slowly)
    with caplog.at_level("INFO"):
        made(tmp_path, "mgr_dark")
        other[0].join()
    assert len(taken) == len(TAKES) and files(tmp_path / "mgr_dark") == files(whole / "mgr_dark")
    assert f"{THIS}" in caplog.text and sorted(p.name for p in tmp_path.iterdir()) == [MAKING, "mgr_dark"]


@pytest.mark.parametrize("parts", ["dark rgb", None, {"dark rgb": 1}, [["dark rgb"]]])
def test_parts_that_are_no_list_of_names_do_not_make_a_set_whole(whole, tmp_path, parts):
    root = Path(shutil.copytree(whole / "mgr_dark", tmp_path / "mgr_dark"))
    (root / "dataset.json").write_text(json.dumps({**about(root), "parts": parts}))
    forget()
    config = {"type": "MGRDarkDataset", "data_root": str(root), "lighting": "dark"}
    for read in (
        lambda: made(tmp_path, "mgr_dark", "dark rgb"),
        lambda: verify_dataset("mgr_dark", root),
        lambda: select(config),
    ):
        with pytest.raises(ValueError, match=r"dataset.json: parts is .*, not a list of names; .* or delete"):
            read()


def test_a_synthetic_set_without_its_description_is_not_taken_for_a_real_one(whole, tmp_path):
    root = Path(shutil.copytree(whole / "mgr_dark", tmp_path / "data" / "synthetic-smoke" / "mgr_dark"))
    (root / "dataset.json").unlink()
    for read in (lambda: check_folder(str(root)), lambda: verify_dataset("mgr_dark", root)):
        with pytest.raises(FileNotFoundError, match="its dataset.json is gone, .* count as real ones; delete"):
            read()
    with pytest.raises(ValueError, match="move or delete it and try again"):
        made(root.parent, "mgr_dark")


def test_who_lost_a_synthetic_video_hears_how_to_have_it_again(whole, tmp_path):
    root = Path(shutil.copytree(whole / "mgr_dark", tmp_path / "mgr_dark"))
    next((root / "clips" / "dark" / "rgb").rglob("*.mp4")).unlink()
    forget()
    config = {"type": "MGRDarkDataset", "data_root": str(root), "lighting": "dark", "split": "all"}
    with pytest.raises(FileNotFoundError, match=f"or delete {root}: run-all without --data-root makes .* anew"):
        select(config)
