"""Every config of ``mm_configs``: how it is written, what it says at each profile, and what its metafile says of it."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from harness.plan.resolve import resolve
from harness.suite.benchmark import load_benchmark
from harness.suite.entries import load_entries

ROOT = Path(__file__).parents[2] / "mm_configs"
FILES = sorted(ROOT.rglob("*.py"))
CONFIGS = [f for f in FILES if "_base_" not in f.parts]
METAFILES = sorted(ROOT.glob("*/metafile.yml"))
CLASSES = {"mgr_dark": 10, "nvgesture": 25}


@cache
def entries():
    return load_entries(ROOT, load_benchmark(ROOT / "benchmark.yml"))


SINGLE = sorted(name for name, e in entries().items() if e.stage == "single" and "+" not in e.test_modality)
JOINT = sorted(name for name, e in entries().items() if e.stage == "single" and "+" in e.test_modality)
COMMON = [name for name in SINGLE + JOINT if not entries()[name].protocol]


def pipelines(config):
    """The transforms of each loader by type."""
    return {
        split: {t["type"]: t for t in config[f"{split}_dataloader"]["dataset"]["pipeline"]}
        for split in ("train", "test")
    }


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_text_style(path):
    """An import above ``_base_`` flips MMEngine to another parser; bases by package name need pkg_resources."""
    text = path.read_text(encoding="utf-8")
    code = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert not [line for line in code if re.match(r"\s*(import|from)\s", line)]
    assert "read_base" not in text and "::" not in text
    if "_base_ =" in text:
        assert code[0].startswith("_base_ =")
    assert "Flip" not in text, "gestures differ by left and right"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
@pytest.mark.parametrize("profile", ["smoke", "demo", "paper"])
def test_resolves(path, profile):
    resolved = resolve(path, profile)
    assert resolved.config["default_scope"] == "mmaction"
    assert not {"profiles", "parents"} & set(resolved.config)
    assert all(f.is_relative_to(ROOT) for f in resolved.files) and path in resolved.files
    for parent in resolved.parents.values():
        assert (path.parent / parent["config"]).is_file()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_options_of_the_stock_tools_find_what_they_need(path):
    """``tools/train.py`` heeds ``--seed`` where a config has no randomness;
    ``--auto-scale-lr`` and ``--show-dir`` set keys.
    """
    config = resolve(path, "paper").config
    assert "randomness" not in config
    assert config["default_hooks"]["visualization"]["type"] == "ClipVisualizationHook"
    if config.get("train_cfg"):
        batch = config["train_dataloader"]["batch_size"]
        assert config["auto_scale_lr"] == {"enable": False, "base_batch_size": batch}


def test_every_config_is_listed_once():
    listed = [m["Config"] for f in METAFILES for m in yaml.safe_load(f.read_text())["Models"]]
    assert sorted(listed) == sorted(f"mm_configs/{p.relative_to(ROOT)}" for p in CONFIGS)
    assert {f.parent for f in METAFILES} == {p.parent for p in CONFIGS}


@pytest.mark.parametrize("path", METAFILES, ids=lambda p: p.parent.name)
def test_metafile_is_mmaction2s_format(path):
    meta = yaml.safe_load(path.read_text())
    collections = {c["Name"]: c for c in meta["Collections"]}
    for c in collections.values():
        assert c["Paper"]["Title"] and c["Paper"]["URL"].startswith("http")
        assert c["Metadata"]["Family"] and c["Metadata"]["Architecture"]
        assert "README" not in c or (ROOT.parent / c["README"]).is_file()
    for m in meta["Models"]:
        assert m["Name"] == Path(m["Config"]).stem and (ROOT.parent / m["Config"]).is_file()
        assert m["In Collection"] in collections
        assert m["Metadata"]["Pretrained"], "'none' where no weights are loaded"
        assert m["Results"] == [], "results come from the ledger, not from hand"


@pytest.mark.parametrize("name", SINGLE)
def test_data_and_head_fit_the_metafile(name):
    entry = entries()[name]
    for profile in ("smoke", "demo", "paper"):
        config = resolve(entry.config, profile).config
        for split in ("train", "test"):
            dataset = config[f"{split}_dataloader"]["dataset"]
            assert Path(dataset["data_root"]).name == entry.dataset
            assert dataset["modalities"] == [entry.test_modality]
            assert dataset["split"] == split
            if entry.dataset == "mgr_dark":
                assert dataset["lighting"] == entry.metadata.get("Lighting", "dark")
        assert config["model"]["cls_head"]["num_classes"] == CLASSES[entry.dataset]
        assert config["model"]["cls_head"]["average_clips"] == "prob"
        assert f"_{entry.test_modality}".replace("_", "-") in name


@pytest.mark.parametrize("name", JOINT)
def test_data_of_a_joint_network_fit_the_metafile(name):
    entry = entries()[name]
    for profile in ("smoke", "demo", "paper"):
        config = resolve(entry.config, profile).config
        for split in ("train", "test"):
            dataset = config[f"{split}_dataloader"]["dataset"]
            assert Path(dataset["data_root"]).name == entry.dataset and dataset["split"] == split
            assert dataset["modalities"] == entry.test_modality.split("+")
        assert classes_in(config["model"]) == {CLASSES[entry.dataset]}
        assert name.endswith(entry.test_modality.replace("+", "-"))


def classes_in(node):
    """Every number of classes that a network's config names."""
    if isinstance(node, dict):
        own = {v for k, v in node.items() if k == "num_classes"}
        return own.union(*(classes_in(v) for v in node.values()))
    return set().union(*map(classes_in, node)) if isinstance(node, (list, tuple)) else set()


@pytest.mark.parametrize("name", SINGLE)
def test_weights_said_absent_are_absent(name):
    config = resolve(entries()[name].config, "paper").config
    loaded = [
        config["load_from"],
        config["model"]["backbone"].get("pretrained"),
        config["model"].get("init_cfg"),
    ]
    assert (entries()[name].pretrained == "none") == (not any(loaded))


@pytest.mark.parametrize("name", COMMON)
def test_paper_is_section_5_1(name):
    """32 frames uniformly, 256 -> 224 random / centre crop, batch 32, 80 epochs of SGD at 1e-4, x0.1 after 20."""
    config = resolve(entries()[name].config, "paper").config
    train, test = pipelines(config).values()
    assert train["SampleClipFrames"]["clip_len"] == test["SampleClipFrames"]["clip_len"] == 32
    assert train["LoadModalities"]["size"] == test["LoadModalities"]["size"] == (256, 256)
    assert train["RandomCrop"]["size"] == test["CenterCrop"]["crop_size"] == 224
    assert config["train_dataloader"]["batch_size"] == 32
    assert config["train_cfg"] == {"type": "EpochBasedTrainLoop", "max_epochs": 80}
    optimizer = {"type": "SGD", "lr": 1e-4, "momentum": 0.9, "weight_decay": 1e-4}
    assert config["optim_wrapper"] == {"optimizer": optimizer}
    (decay,) = config["param_scheduler"]
    assert (decay["type"], decay["by_epoch"], decay["milestones"], decay["gamma"]) == (
        "MultiStepLR",
        True,
        [20],
        0.1,
    )


@pytest.mark.parametrize("name", SINGLE + JOINT)
def test_nothing_is_selected_on_the_test_split(name):
    for profile in ("smoke", "demo", "paper"):
        config = resolve(entries()[name].config, profile).config
        assert not {"val_dataloader", "val_cfg", "val_evaluator"} & {k for k, v in config.items() if v}
        assert not config["test_dataloader"].get("drop_last"), "all test clips count"
        assert "num_batch_per_epoch" not in config["test_dataloader"]
        assert "indices" not in config["test_dataloader"]["dataset"]
        assert "save_best" not in config["default_hooks"]["checkpoint"]


@pytest.mark.parametrize("name", ["mtut_mgr-dark-rgb-depth", "timesformer_divst_mgr-dark-rgb", "i3d_r50_mgr-dark-rgb"])
def test_the_demo_has_one_number_of_epochs_and_what_begins_later_begins_before_the_end(name):
    config = resolve(entries()[name].config, "demo").config
    epochs = config["train_cfg"]["max_epochs"]
    assert config["param_scheduler"][0]["total_steps"] == epochs
    assert config["param_scheduler"][0]["eta_max"] == config["optim_wrapper"]["optimizer"]["lr"]
    assert 0 < config["model"].get("start_epoch", 1) < epochs


@pytest.mark.parametrize("profile", ["smoke", "demo"])
def test_profiles_are_the_same_for_all_methods(profile):
    """Rows of a table differ by method, not by clip length, resolution, batch or number of clips seen."""

    def protocol(name):
        config = resolve(entries()[name].config, profile).config
        loaders = {s: {k: v for k, v in config[f"{s}_dataloader"].items() if k != "dataset"} for s in ("train", "test")}
        read = pipelines(config)
        read["train"].pop("GestureProgress", None)  # a target; it changes no frame
        return read, loaders, config["train_cfg"]

    first, *others = [protocol(name) for name in COMMON]
    assert all(other == first for other in others)


@pytest.mark.parametrize("name", COMMON)
@pytest.mark.parametrize("profile", ["smoke", "demo", "paper"])
def test_what_is_taken_out_of_the_input_is_a_protocol_of_its_own_there(name, profile):
    taken = resolve(entries()[name].config, profile).config["model"].get("data_preprocessor", {}).get("remove_still", False)
    assert taken == ("what moves" in entries()[name].at(profile).protocol)


def test_profile_arguments_name_transforms_that_exist():
    """A transform type misspelt in a profile would be left out silently."""
    from mmengine.config import Config

    known = set()
    for path in CONFIGS:
        config = resolve(path, "paper").config
        for split in ("train", "test"):
            if config.get(f"{split}_dataloader"):
                known |= {t["type"] for t in config[f"{split}_dataloader"]["dataset"].get("pipeline", [])}
    for profile in (ROOT / "_base_" / "profiles").glob("*.py"):
        content = Config.fromfile(str(profile), import_custom_modules=False)
        assert set(content.get("transforms", {})) <= known


def test_an_own_protocol_says_so_and_is_run_only_when_it_is_asked_for():
    own = {name: e for name, e in entries().items() if "own-protocol" in name or e.protocol}
    assert own and all("_own-protocol_" in name and e.protocol for name, e in own.items())
    assert all({"smoke", "demo", "paper"} == set(e.optional_at) for e in own.values())
    for name, e in own.items():
        common = entries()[name.replace("_own-protocol", "")]
        assert resolve(e.config, "paper").config != resolve(common.config, "paper").config


OF_THE_DATA = {"num_classes", "in_channels", "mean", "std", "statistics"}
PAIRS = [(p, q) for p in CONFIGS if (q := Path(str(p).replace("mgr-dark", "nvgesture"))) != p and q in CONFIGS]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[p.stem for p, _ in PAIRS])
def test_both_data_sets_have_the_same_network_at_demo(one, other):
    """One of a pair without its profile's override was a generator of the paper's size at demo: hours of a laptop."""

    def network(node):
        if isinstance(node, dict):
            return {k: network(v) for k, v in node.items() if k not in OF_THE_DATA}
        return [network(v) for v in node] if isinstance(node, (list, tuple)) else node

    a, b = (network(dict(resolve(config, "demo").config["model"])) for config in (one, other))
    assert a == b
