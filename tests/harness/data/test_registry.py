"""Data sets are found by their objects, those of a user's own package as well, and named nowhere else."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

from harness.data.describe.statistics import dataset_statistics
from harness.data.names import BUILT_IN, names
from harness.data.registry import clips_at, data_set, data_sets, of_config
from harness.data.store.cache import store_specs
from harness.data.synthesize import generators
from harness.data.verify.dataset import verify_dataset
from harness.errors import BadUsage
from harness.plan.data import describe_data
from tests.helpers.defective_sets import truncate
from tests.helpers.own_data_set import installed, write_waves

HARNESS = Path(__file__).resolve().parents[3] / "harness"
OF_ONE_DATA_SET = re.compile(
    r"data/(names|sets/.*|segment/.*|(synthesize|verify)/(mgr_dark|nvgesture|sysu_mm01).*)\.py"
)
WRITES_ITS_LAYOUT = ("bench/clip_set.py",)


def waves_config(root: Path, **more) -> dict:
    dataset = {"type": "WavesDataset", "data_root": str(root), "modalities": ["rgb"]}
    return {
        "train_dataloader": {"dataset": {**dataset, **more}},
        "test_dataloader": {"dataset": {**dataset, "split": "test"}},
    }


def test_a_data_set_is_found_by_its_dataset_class_with_a_scope_or_without():
    assert names() == tuple(BUILT_IN) == tuple(d.name for d in data_sets())
    for one in data_sets():
        assert of_config({"type": one.dataset_class}) is of_config({"type": f"mmaction.{one.dataset_class}"}) is one
    assert of_config({"type": "SysuLikeDataset"}) is None and of_config({}) is None


def test_an_unknown_name_lists_the_data_sets():
    with pytest.raises(BadUsage, match="unknown data set 'nvgestures' .near: nvgesture.; choose from mgr_dark, "):
        data_set("nvgestures")


def test_a_folder_that_holds_no_data_set_of_clips_says_what_one_has(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"one of annotations.csv \(MGR-Dark\), Video_data \(NvGesture\), exp"):
        clips_at(tmp_path)
    (tmp_path / "exp").mkdir()
    with pytest.raises(ValueError, match="SYSU-MM01 has images, no clips"):
        clips_at(tmp_path)


def test_of_the_folder_above_data_sets_those_below_are_named(tmp_path):
    """``data stats`` and ``data sheet`` take one data set, other commands the folder that holds all of them."""
    (tmp_path / "nvgesture" / "Video_data").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=f"but below it; give {tmp_path}/nvgesture$"):
        clips_at(tmp_path)


def test_of_two_layouts_in_one_folder_the_name_of_the_folder_decides(tmp_path):
    for name in ("mgr_dark", "other"):
        (tmp_path / name / "Video_data").mkdir(parents=True)
        (tmp_path / name / "annotations.csv").touch()
    assert clips_at(tmp_path / "mgr_dark").name == "mgr_dark"
    with pytest.raises(ValueError, match="may be mgr_dark or nvgesture; give the folder the name"):
        clips_at(tmp_path / "other")


def test_a_data_set_of_a_users_package_is_planned_and_verified_and_gone_with_the_package(tmp_path):
    root = write_waves(tmp_path / "data" / "waves")
    with installed(tmp_path / "package"):
        assert names() == (*BUILT_IN, "waves") and "waves" not in generators()
        about, prints = describe_data(waves_config(root))
        assert (about.name, about.train_clips, about.test_clips, about.synthetic) == ("Waves", 3, 1, False)
        assert about.train_subjects == ["ann", "ben"] and about.classes == ["up", "down"]
        left, left_prints = describe_data(waves_config(root, hand="left", split="all"))
        assert left.train_clips == 2 and left_prints["train"] != prints["train"]
        pipeline = [{"type": "LoadModalities", "size": (20, 16)}]
        (store,) = store_specs([{**waves_config(root)["train_dataloader"]["dataset"], "pipeline": pipeline}], tmp_path)
        assert store.origin == "Waves" and len(store.clips) == 4
        assert dataset_statistics(root)["clips_per_class"] == {"down": 2, "up": 2}
        assert verify_dataset("waves", tmp_path / "data").sound
        truncate(root / "b.mp4")
        (found,) = [f for f in verify_dataset("waves", root).findings if f.severity == "error"]
        assert (found.clip_id, found.check) == ("b", "decode")
    assert describe_data(waves_config(root))[0] is None  # a class that nobody names: fingerprint of its config
    with pytest.raises(BadUsage, match="unknown data set 'waves'"):
        verify_dataset("waves", root)


@pytest.mark.parametrize(
    ("points", "module", "words"),
    [
        ("waves = waves_of_mine:WAVE", "", "waves_of_mine:WAVE cannot be loaded"),
        ("waves = waves_of_mine:WAVES", "WAVES = 1\n", "is no harness.data.registry.DataSet"),
        ("mgr_dark = waves_of_mine:WAVES", "", "data set mgr_dark is declared twice"),
    ],
)
def test_an_entry_point_of_no_use_is_one_line_that_names_it(tmp_path, points, module, words):
    with installed(tmp_path / "package", points, module), pytest.raises(ValueError, match=words) as caught:
        data_sets()
    assert "\n" not in str(caught.value)


def code_of(path: Path) -> str:
    """Names and texts of a module, without comments and docstrings; an example in a message names no data set."""
    kept, fresh = [], True
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type in (tokenize.NAME, tokenize.STRING) and not (token.type == tokenize.STRING and fresh):
            kept.append(token.string.replace("e.g. mgr_dark", ""))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            fresh = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
    return " ".join(kept)


def test_no_other_module_names_a_data_set():
    found = []
    for path in HARNESS.rglob("*.py"):
        place = path.relative_to(HARNESS).as_posix()
        if OF_ONE_DATA_SET.fullmatch(place) or place in WRITES_ITS_LAYOUT:
            continue
        if re.search("mgr_?dark(?!-)|nvgesture|sysu", code_of(path), re.IGNORECASE):
            found.append(place)
    assert found == []
