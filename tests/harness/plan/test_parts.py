"""Which parts of the synthetic sets plans read, and plans on sets of which only parts are made."""

import json
import shutil

import pytest

from harness import PACKAGED_CONFIGS
from harness.data import clips
from harness.data.sets.mgr_dark import MGR_DARK
from harness.data.sets.nvgesture import NVGESTURE
from harness.plan.parts import sets_to_make
from harness.plan.remarks import unplanned_lines
from harness.plan.workspace import RunChoices, open_workspace
from harness.suite import expand, load_suite

RGB, DEPTH = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"
BENCHMARK, ENTRIES = load_suite(PACKAGED_CONFIGS)


def test_the_parts_that_a_quick_look_and_the_usual_tables_read():
    table2 = expand(BENCHMARK, ENTRIES, "demo", BENCHMARK.quick.tables, 1, all_methods=True)
    quick = [c for c in table2 if c.id in BENCHMARK.quick.cells]
    assert sets_to_make(quick, ENTRIES, "demo", BENCHMARK.quick.data) == {
        "mgr_dark": ("dark ir", "dark rgb"),
        "sysu_mm01": None,
    }
    usual = [c for c in expand(BENCHMARK, ENTRIES, "demo", None, 1) if "demo" not in c.entry.optional_at]
    assert sets_to_make(usual, ENTRIES, "demo") == {
        "mgr_dark": ("dark depth", "dark ir", "dark rgb", "daylight rgb"),
        "nvgesture": ("depth", "ir", "rgb"),
        "sysu_mm01": None,
    }


@pytest.mark.parametrize(
    ("about", "dataset", "parts"),
    [
        (MGR_DARK, {}, ("dark rgb",)),
        (MGR_DARK, {"lighting": "both", "modalities": ["ir"]}, ("dark ir", "daylight ir")),
        (MGR_DARK, {"lighting": "daylight", "modalities": ["pseudo_ir", "rgb"]}, ("daylight rgb",)),
        (MGR_DARK, {"lighting": "dusk", "modalities": ["rgb"]}, ()),
        (MGR_DARK, {"modalities": ["rgb", "infrared"]}, ("dark rgb",)),
        (NVGESTURE, {"modalities": ["ir"], "streams": {"ir": "duo"}}, ()),
        (NVGESTURE, {"modalities": ["flow", "ir"]}, ("rgb", "ir")),
        (NVGESTURE, {"modalities": ["ir"], "streams": {"ir": "duo_right"}}, ("ir",)),
    ],
)
def test_what_a_dataset_config_reads(about, dataset, parts):
    assert about.parts.of_config(dataset) == parts


@pytest.fixture
def data(mgr_dark_root, tmp_path):
    """A whole set, to be taken apart and to be made whole again."""
    shutil.copytree(mgr_dark_root, tmp_path / "data" / "mgr_dark")
    return tmp_path / "data"


def say_parts(root, *parts):
    about = {"name": "MGR-Dark", "synthetic": True, "preset": "smoke", "seed": 3}
    (root / "dataset.json").write_text(json.dumps({**about, **({"parts": parts} if parts else {})}))


def planned(configs, data):
    clips.forget()
    return open_workspace(configs, "smoke", data, None, 1, RunChoices()).plan


def test_a_cell_is_planned_once_its_part_is_made_and_keys_are_those_of_a_whole_set(data, small_configs, mgr_dark_root):
    root = data / "mgr_dark"
    say_parts(root)
    whole = planned(small_configs, data)
    assert set(whole.keys) == {(RGB, 0), (DEPTH, 0)}
    shutil.rmtree(root / "clips" / "dark" / "depth")
    say_parts(root, "dark rgb", "dark ir")
    part = planned(small_configs, data)
    assert part.keys == {(RGB, 0): whole.keys[RGB, 0]}
    (line,) = unplanned_lines(part)
    assert line == (
        f"cannot plan {DEPTH}: {root}: not made yet: dark depth; run-all without --data-root makes what its cells "
        f"read, `python -m harness data synthesize --preset smoke --out {data} --datasets mgr_dark --seed 3` all of "
        "the set"
    )
    shutil.copytree(mgr_dark_root / "clips" / "dark" / "depth", root / "clips" / "dark" / "depth")
    say_parts(root, "dark rgb", "dark depth", "dark ir")
    assert planned(small_configs, data).keys == whole.keys
