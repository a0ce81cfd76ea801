"""A user's own folder of configs beside those that came with the harness."""

import pytest
import yaml

from harness import PACKAGED_CONFIGS
from harness.cli import main
from harness.plan.resolve import resolve
from harness.suite import load_suite
from harness.suite.configs import benchmark_file, folders, profiles_of

PACKAGED = load_suite(PACKAGED_CONFIGS)[1]


@pytest.fixture
def own(tmp_path, capsys):
    """A folder with one method, as a user begins it."""
    folder = tmp_path / "own"  # made by the command
    with pytest.raises(SystemExit) as stop:
        main(["models", "new", "mine", "--modality", "rgb", "--configs", str(folder)])
    assert not stop.value.code and f"models check mine --configs {folder}" in capsys.readouterr().out
    return folder


def test_a_folder_adds_its_methods(own):
    benchmark, entries = load_suite(own)
    assert [*entries] == [*PACKAGED, "mine_mgr-dark-rgb", "mine_nvgesture-rgb"]
    assert benchmark == load_suite(PACKAGED_CONFIGS)[0] and {*profiles_of(own)} == {"demo", "paper", "smoke"}
    assert benchmark_file(own) == PACKAGED_CONFIGS / "benchmark.yml"


@pytest.mark.parametrize("profile", ["smoke", "paper"])
def test_it_inherits_from_what_came_with_the_harness_as_if_it_lay_there(own, profile):
    config = own / "mine" / "mine_mgr-dark-rgb.py"
    assert "_base_ = ['mm_configs::i3d/i3d_r50_mgr-dark-rgb.py']" in config.read_text()
    theirs = resolve(PACKAGED["i3d_r50_mgr-dark-rgb"].config, profile)
    assert resolve(config, profile).config == theirs.config


def test_stages_of_packaged_methods_can_be_its_parents(own, tmp_path):
    from harness.plan.choice import chosen_jobs
    from harness.plan.jobs import Settings
    from harness.suite import expand

    config = own / "mine" / "mine_mgr-dark-rgb.py"
    config.write_text(
        "_base_ = ['mm_configs::mtcd/mtcd_i3d-r50_mgr-dark-rgb.py']\n"
        "parents = dict(teacher=dict(config='mm_configs::mtcd/mtcd_teacher_mgr-dark-ir.py'),\n"
        "               assistant=dict(config='mm_configs::mtcd/mtcd_assistant_mgr-dark-pseudo-ir.py'),\n"
        "               pseudo_ir=dict(config='mm_configs::mtcd/mtcd_pseudo-ir_mgr-dark.py'))\n"
    )
    benchmark, entries = load_suite(own)
    mine = {"mine_mgr-dark-rgb"}
    cells = [c for c in expand(benchmark, entries, "smoke", ["table2"], 1) if c.entry.name in mine]
    assert chosen_jobs(["mtcd_teacher_mgr-dark-ir-s0"], cells, entries, Settings(own, "smoke", tmp_path))


def test_a_base_that_is_not_there_is_named(own):
    config = own / "mine" / "mine_mgr-dark-rgb.py"
    config.write_text("_base_ = 'mm_configs::i3d/gone.py'\n")
    with pytest.raises(FileNotFoundError, match="gone.py does not exist"):
        resolve(config, "smoke")


def test_a_benchmark_of_ones_own_replaces_the_packaged_one(own):
    mine = yaml.safe_load((PACKAGED_CONFIGS / "benchmark.yml").read_text()) | {"title": "Mine"}
    (own / "benchmark.yml").write_text(yaml.safe_dump(mine))
    benchmark, entries = load_suite(own)
    assert benchmark.title == "Mine" and "mine_mgr-dark-rgb" in entries and "tsn_r50_mgr-dark-rgb" in entries


def test_a_whole_copy_stands_alone(small_configs):
    assert folders(small_configs) == (small_configs,)
    assert [*load_suite(small_configs)[1]] == ["i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"]


def test_a_name_that_is_taken_and_a_folder_without_methods_are_errors(own, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty: no \*/metafile.yml found"):
        load_suite(tmp_path / "empty")
    taken = own / "mine" / "i3d_r50_mgr-dark-rgb.py"
    (own / "mine" / "mine_mgr-dark-rgb.py").rename(taken)
    meta = own / "mine" / "metafile.yml"
    meta.write_text(meta.read_text().replace("mine_mgr-dark-rgb", "i3d_r50_mgr-dark-rgb"))
    with pytest.raises(ValueError, match="'i3d_r50_mgr-dark-rgb' is also in .*names must be unique"):
        load_suite(own)


def test_a_new_config_in_a_checkout_is_one_of_stock_tools(small_configs, capsys):
    with pytest.raises(SystemExit):
        main(["models", "new", "mine", "--configs", str(small_configs)])
    assert (
        "_base_ = ['../i3d/i3d_r50_mgr-dark-rgb.py']" in (small_configs / "mine" / "mine_mgr-dark-rgb.py").read_text()
    )


@pytest.mark.parametrize("name", ["mtcd", "tsn", "i3d"])
def test_a_new_method_does_not_take_the_name_of_one_that_is_there(own, name, capsys):
    """Its folder would make every command fail that is given it."""
    with pytest.raises(SystemExit) as stop:
        main(["models", "new", name, "--configs", str(own)])
    assert stop.value.code == 2 and f"error: {name}: there is a method {name.upper()} in" in capsys.readouterr().err
    assert not (own / name).exists() and load_suite(own)
