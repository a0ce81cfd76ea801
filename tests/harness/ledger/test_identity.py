"""Identity: what is and what is not part of a run's key."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.ledger.identity import (
    IDENTITY_VERSION,
    canonical_json,
    differences,
    identity_config,
    key_maker,
    run_key,
)
from harness.ledger.record import Identity

CONFIG = {
    "model": {
        "type": "Recognizer3D",
        "backbone": {
            "type": "ResNet3d",
            "depth": 50,
            "init_cfg": {"type": "Pretrained", "checkpoint": "k400.pth"},
        },
    },
    "train_dataloader": {
        "batch_size": 16,
        "num_workers": 4,
        "dataset": {
            "type": "MGRDarkDataset",
            "data_root": "/data/x",
            "lighting": "dark",
            "stores": {"pseudo_ir": "/w/store"},
        },
    },
    "train_cfg": {"max_epochs": 2},
    "default_hooks": {"epoch_seed": {"type": "EpochSeedHook"}},  # as the packaged default_runtime.py has it
    "clip_len": 32,
}


def identity(**changes):
    fields = dict(
        version=IDENTITY_VERSION,
        config=identity_config(CONFIG, "demo"),
        data={"train": "aa", "test": "bb"},
        parents={},
        code={"m": "cc"},
        seed=0,
    )
    return Identity(**{**fields, **changes})


def with_path(config, path, value):
    head, *rest = path
    return {**config, head: with_path(config[head], rest, value) if rest else value}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("train_dataloader", "num_workers"), 0),
        (("train_dataloader", "dataset", "data_root"), "/elsewhere"),
        (("train_dataloader", "dataset", "stores"), {"pseudo_ir": "/elsewhere"}),
        (("clip_len",), 16),
    ],
)
def test_paths_and_hardware_settings_do_not_count(path, value):
    assert identity_config(with_path(CONFIG, path, value), "demo") == identity_config(CONFIG, "demo")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("train_dataloader", "batch_size"), 32),
        (("train_dataloader", "dataset", "lighting"), "daylight"),
        (("model", "backbone", "depth"), 18),
        (("model", "backbone", "init_cfg", "checkpoint"), "sha256:00"),
        (("load_from",), "sha256:00"),
        (("train_cfg", "max_epochs"), 3),
    ],
)
def test_what_changes_a_result_changes_the_key(path, value):
    assert run_key(identity(config=identity_config(with_path(CONFIG, path, value), "demo"))) != run_key(identity())


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"parents": {"teacher": "k"}},
        {"code": {"m": "dd"}},
        {"data": {"train": "aa", "test": "xx"}},
        {"version": 99},
    ],
)
def test_every_component_counts_and_is_named(change):
    old, new = identity(), identity(**change)
    assert run_key(old) != run_key(new)
    lines = differences(old, new)
    assert len(lines) == 1 and next(iter(change)).replace("version", "rule for keys") in lines[0]


def test_profile_counts():
    assert identity_config(CONFIG, "demo") != identity_config(CONFIG, "smoke")


def test_differences_show_old_and_new_value():
    changed = with_path(CONFIG, ("train_cfg", "max_epochs"), 9)
    assert differences(identity(), identity(config=identity_config(changed, "demo"))) == [
        "config train_cfg.max_epochs: 2 -> 9"
    ]


def test_the_definition_that_changed_is_named_not_those_that_refer_to_it():
    old = identity(code={"p:f": "aa:1", "p:Net": "bb:2"})
    assert differences(old, identity(code={"p:f": "cc:3", "p:Net": "bb:4"})) == ["code p:f: aa:1 -> cc:3"]
    assert differences(old, identity(code={"p:f": "aa:1", "p:Net": "bb:4"})) == [
        "code p:Net: refers to another definition than before"
    ]


def test_code_of_another_version_is_not_compared():
    lines = differences(identity(version=2, code={"p.net": "aa"}), identity(version=3, code={"p:Net": "bb:cc"}))
    assert lines == ["rule for keys: 2 -> 3 (the older rule hashed code differently, so code cannot be compared)"]


def test_key_is_pinned():
    """A change of this value re-runs every benchmark in the world: raise IDENTITY_VERSION on purpose instead."""
    assert run_key(identity()) == "4dbe2c39afec2f36c6446380304b709aedb5e7a221c8c72a0de4cb91fa2f7bab"


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("parents", [{}, {"teacher": "k", "assistant": "ä"}])
def test_keys_made_for_many_seeds_are_those_of_their_identities(parents, seed):
    whole = identity(parents=parents, seed=seed, code={"z": "1", "a": "2"})
    assert key_maker(whole.config, whole.data, whole.code)(parents, seed) == run_key(whole)


def test_tuples_and_lists_are_one_and_order_of_keys_is_none():
    assert canonical_json({"b": (1, 2), "a": 0.1}) == '{"a":0.1,"b":[1,2]}' == canonical_json({"a": 0.1, "b": [1, 2]})


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), object()])
def test_what_json_cannot_hold_is_refused(bad):
    with pytest.raises(ValueError, match="config.x"):
        canonical_json({"x": bad})


def test_planning_modules_import_neither_torch_nor_mmengine():
    code = (
        "import sys, harness.plan.workspace, harness.cli.run_all, harness.cli.report, reports\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'mmengine', 'mmaction')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_rule_to_scale_the_rate_counts_only_where_it_is_on():
    plain = {"model": {"type": "X"}}
    off, on = (plain | {"auto_scale_lr": {"enable": e, "base_batch_size": 32}} for e in (False, True))
    assert identity_config(off, "demo") == identity_config(plain, "demo") != identity_config(on, "demo")


@pytest.mark.parametrize(
    "setting", [{"sync_bn": "torch"}, {"compile": True}, {"activation_checkpointing": ["backbone"]}]
)
def test_what_mmengines_runner_does_to_the_network_counts(setting):
    assert identity_config({**CONFIG, **setting}, "demo") != identity_config(CONFIG, "demo")


USUAL = {"epoch_seed": {"type": "EpochSeedHook"}, "logger": {"type": "LoggerHook", "interval": 20}}


@pytest.mark.parametrize(
    "hooks",
    [
        {"ema": {"type": "EMAHook", "momentum": 0.01}},
        {"ema": {"type": "EMAHook", "momentum": 0.02}},
        {"logger": {"type": "EMAHook", "momentum": 0.01}},
        {"param_scheduler": None},
        {"sampler_seed": None},
        {"epoch_seed": None},
    ],
)
def test_default_hooks_that_make_another_training_count(hooks):
    usual, other = ({**CONFIG, "default_hooks": USUAL | more} for more in ({}, hooks))
    assert identity_config(other, "demo") != identity_config(usual, "demo")
    assert canonical_json(identity_config({**other, "train_cfg": None}, "demo")) == canonical_json(
        identity_config({**usual, "train_cfg": None}, "demo")
    ), "what trains nothing has no use for them"


def test_default_hooks_that_write_and_log_do_not_count():
    more = {
        "logger": {"type": "mmengine.LoggerHook", "interval": 1},
        "checkpoint": None,
        "stage_checkpoint": {"type": "StageCheckpointHook", "stage": "student"},
    }
    usual, other = ({**CONFIG, "default_hooks": USUAL | hooks} for hooks in ({}, more))
    assert identity_config(other, "demo") == identity_config(usual, "demo")


def test_the_packaged_runtime_is_the_usual_one():
    from mmengine.config import Config

    runtime = Config.fromfile(Path(__file__).parents[3] / "mm_configs" / "_base_" / "default_runtime.py").to_dict()
    assert "default_hooks" not in identity_config({**CONFIG, **runtime}, "demo")
    assert "default_scope" not in identity_config({**CONFIG, **runtime}, "demo")
    assert identity_config({**CONFIG, "default_scope": "mmdet"}, "demo") != identity_config(CONFIG, "demo")
