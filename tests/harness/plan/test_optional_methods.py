"""Methods that a profile leaves out unless they are asked for (``Optional At`` in a metafile)."""

import json
from pathlib import Path

import pytest
import yaml

from harness.cli import main
from harness.errors import BadUsage
from harness.plan.workspace import RunChoices, open_workspace
from harness.suite import expand, load_suite

CONFIGS = Path(__file__).resolve().parents[3] / "mm_configs"
RGB, DEPTH = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"


def leave_out(configs, *profiles):
    """Make the depth network a method of its own that these profiles leave out."""
    path = configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    meta["Collections"].append({**meta["Collections"][0], "Name": "Extra", "Optional At": list(profiles)})
    next(m for m in meta["Models"] if m["Name"] == DEPTH)["In Collection"] = "Extra"
    path.write_text(yaml.safe_dump(meta))
    return configs


@pytest.fixture
def configs(small_configs):
    return leave_out(small_configs, "smoke")


def names(cells):
    return [c.entry.name for c in cells]


def test_only_the_named_profiles_leave_it_out(configs):
    benchmark, entries = load_suite(configs)
    assert names(expand(benchmark, entries, "smoke")) == [RGB]
    assert names(expand(benchmark, entries, "smoke", all_methods=True)) == [RGB, DEPTH]
    assert names(expand(benchmark, entries, "demo")) == [RGB, DEPTH]


def test_a_profile_that_is_not_there_is_one_line(small_configs):
    leave_out(small_configs, "demo", "dmo")
    words = "metafile.yml: model '.*depth' or its collection: Optional At: unknown profile 'dmo' .near: demo.*smoke"
    with pytest.raises(ValueError, match=words):
        load_suite(small_configs)


@pytest.mark.parametrize(
    ("chosen", "planned"),
    [
        ((), [(RGB, 0), (RGB, 1)]),
        ((RGB,), [(RGB, 0), (RGB, 1)]),
        ((f"{DEPTH}-s1",), [(RGB, 0), (RGB, 1), (DEPTH, 1)]),
        ((DEPTH, f"{RGB}-s0"), [(RGB, 0), (RGB, 1), (DEPTH, 0), (DEPTH, 1)]),
    ],
)
def test_its_name_plans_it(configs, tiny_data, chosen, planned):
    ws = open_workspace(configs, "smoke", tiny_data, None, 2, chosen=chosen)
    assert [(c.entry.name, c.seed) for c in ws.cells] == planned and not ws.plan.errors
    assert {cell for cell, _ in ws.plan.keys} == {cell for cell, _ in planned}
    assert [e.name for e in ws.left_out] == ([] if (DEPTH, 1) in planned else [DEPTH])
    assert sorted(ws.chosen) == sorted(f"{c}-s{s}" for c, s in planned if {c, f"{c}-s{s}"} & {*chosen})


def test_a_name_that_nothing_has_is_still_an_error(configs, tiny_data):
    with pytest.raises(BadUsage, match="--cell: unknown job 'i3d_r51'"):
        open_workspace(configs, "smoke", tiny_data, None, 1, chosen=("i3d_r51",))


def test_an_entry_that_no_table_asks_for_is_no_unknown_name(tmp_path, tiny_data):
    """Infrared alone, which ``models new`` writes a config for, is in no column of Table 2."""
    ir = "i3d_r50_mgr-dark-ir"
    with pytest.raises(BadUsage, match=f"--cell {ir}: no table that is asked for has this entry; name one"):
        open_workspace(CONFIGS, "smoke", tiny_data, "table2", 1, chosen=(ir,))


def test_all_methods_plans_it_as_if_no_profile_left_it_out(small_configs, tiny_data):
    asked = small_configs, "smoke", tiny_data, None, 1
    before = open_workspace(*asked).plan.keys
    leave_out(small_configs, "smoke")
    ws = open_workspace(*asked, RunChoices(all_methods=True))
    assert ws.plan.keys == before and ws.left_out == ()


def test_a_stage_names_what_stands_on_it(small_configs, tiny_data):
    """... unless a method that is not left out depends on it too: then nothing more is asked for."""
    config = small_configs / "i3d" / f"{DEPTH}.py"
    stage = "parents = dict(first=dict(config='i3d_r50_mgr-dark-first.py', inject_at='model.backbone.pretrained'))\n"
    (small_configs / "i3d" / "i3d_r50_mgr-dark-first.py").write_text(config.read_text())
    config.write_text(config.read_text() + stage)
    path = leave_out(small_configs, "smoke") / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    first = {**meta["Models"][0], "Name": "i3d_r50_mgr-dark-first", "Config": "i3d_r50_mgr-dark-first.py"}
    first["Metadata"] = {**first["Metadata"], "Bound": True}  # a row of no table
    path.write_text(yaml.safe_dump({**meta, "Models": [*meta["Models"], first]}))
    asked = small_configs, "smoke", tiny_data, None, 1
    ws = open_workspace(*asked, chosen=("i3d_r50_mgr-dark-first",))
    assert names(ws.cells) == [RGB, DEPTH] and ws.chosen == ("i3d_r50_mgr-dark-first-s0",)
    rgb = small_configs / "i3d" / f"{RGB}.py"
    rgb.write_text(rgb.read_text() + stage)
    assert names(open_workspace(*asked, chosen=("i3d_r50_mgr-dark-first",)).cells) == [RGB]


def test_plan_says_what_is_left_out_and_how_to_get_it(configs, tiny_data, tmp_path, capsys):
    def plan(*more):
        options = ["--configs", configs, "--data-root", tiny_data, "--work-dir", tmp_path / "w", "--profile", "smoke"]
        with pytest.raises(SystemExit) as stop:
            main(["plan", *map(str, options), *more])
        assert not stop.value.code
        return capsys.readouterr()

    said = "1 entry of 1 method left out at smoke: --all-methods plans them as well, --cell NAME of `plan`, `run`"
    found = plan()
    assert said in found.err and DEPTH not in found.out and "1 job, " in found.out
    found = plan("--all-methods")
    assert "left out" not in found.err and f"{DEPTH}-s0" in found.out and "2 jobs" in found.out
    assert json.loads(plan("--json").out)["left_out"] == [DEPTH]
