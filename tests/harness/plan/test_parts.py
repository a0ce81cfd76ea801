"""Which parts of the synthetic sets plans read, and plans on sets of which only parts are made."""

import json
import shutil

import pytest
import yaml

from harness import PACKAGED_CONFIGS
from harness.data import clips
from harness.data.sets.mgr_dark import MGR_DARK
from harness.data.sets.nvgesture import NVGESTURE
from harness.plan.parts import sets_to_make
from harness.plan.remarks import unplanned_lines
from harness.plan.workspace import RunChoices, open_workspace
from harness.schedule.run import jobs_to_run
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


TEACHER = "mtcd_teacher_mgr-dark-ir"


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ((TEACHER,), {"mgr_dark": ("dark ir",)}),
        (("i3d_r50_nvgesture-depth-s0",), {"nvgesture": ("depth",)}),
        (("mtcd_translator_mgr-dark",), {"mgr_dark": ("dark ir", "dark rgb"), "sysu_mm01": None}),
        (("mtcd_translator_sysu-mm01",), {"sysu_mm01": None}),
        ((TEACHER, "i3d_r50_mgr-dark-depth"), {"mgr_dark": ("dark depth", "dark ir")}),
        (("mtcd_i3d-r50_mgr-dark-rgb",), {"mgr_dark": ("dark ir", "dark rgb"), "sysu_mm01": None}),
    ],
)
def test_only_what_the_chosen_jobs_and_their_stages_read_is_made(chosen, wanted, monkeypatch):
    made = []

    def make(root, preset, sets):
        made.append(sets)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        open_workspace(PACKAGED_CONFIGS, "smoke", None, None, 1, make_data=make, chosen=chosen)
    assert made == [wanted]


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
        f"cannot plan {DEPTH}-s0: {root}: not made yet: dark depth; run-all without --data-root makes what its cells "
        f"read, `python -m harness data synthesize --preset smoke --out {data} --datasets mgr_dark --seed 3` all of "
        "the set"
    )
    shutil.copytree(mgr_dark_root / "clips" / "dark" / "depth", root / "clips" / "dark" / "depth")
    say_parts(root, "dark rgb", "dark depth", "dark ir")
    assert planned(small_configs, data).keys == whole.keys


def test_a_chosen_stage_is_planned_where_nothing_that_depends_on_it_is(data, small_configs):
    meta = small_configs / "i3d" / "metafile.yml"
    entries = yaml.safe_load(meta.read_text())
    for entry in entries["Models"]:
        if entry["Name"] == RGB:  # a row of no table of methods
            entry["Metadata"]["Bound"] = "upper"
    meta.write_text(yaml.safe_dump(entries))
    parent = f"parents = dict(expert=dict(config='{RGB}.py', inject_at=['model.backbone.pretrained']))\n"
    with open(small_configs / "i3d" / f"{DEPTH}.py", "a") as file:
        file.write(parent)
    shutil.rmtree(data / "mgr_dark" / "clips" / "dark" / "depth")
    say_parts(data / "mgr_dark", "dark rgb")
    clips.forget()
    found = open_workspace(small_configs, "smoke", data, None, 1, chosen=(RGB,))
    assert [(c.id, c.seed) for c in found.cells] == [(DEPTH, 0)] == list(found.plan.errors)
    assert [job.name for job in jobs_to_run(found).values()] == [f"{RGB}-s0"]
