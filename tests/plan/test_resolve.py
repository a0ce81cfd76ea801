"""The merges of a profile and of overrides, on small config trees written by the tests."""

from pathlib import Path

import pytest

from harness.plan.resolve import resolve

DATA = """
train_dataloader = dict(batch_size=32, dataset=dict(
    type='D', pipeline=[dict(type='Sample', n=32), dict(type='Crop', size=224)]))
test_dataloader = dict(batch_size=32, dataset=dict(
    type='D', pipeline=[dict(type='Sample', n=32, test_mode=True)]))
"""
SCHEDULE = """
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-4, momentum=0.9))
param_scheduler = [dict(type='MultiStepLR', milestones=[20])]
train_cfg = dict(max_epochs=80)
"""
MODEL = """
model = dict(type='Net', backbone=dict(width=64, kernel=(3, 3)), head=dict(num_classes=10))
profiles = dict(demo=dict(model=dict(backbone=dict(width=8)), train_cfg=dict(max_epochs=7)))
"""
DEMO = """
transforms = dict(Sample=dict(n=16))
overrides = {'train_dataloader.batch_size': 4}
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=2e-3))
param_scheduler = []
train_cfg = dict(max_epochs=3)
"""
LEAF = """
_base_ = ['../_base_/data.py', '../_base_/model.py', '../_base_/schedule.py']
model = dict(head=dict(num_classes=25))
parents = dict(teacher=dict(config='teacher.py', into=['model.backbone.pretrained']))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of configs whose path has a space and a non-ASCII letter; returns the leaf."""
    root = tmp_path / "konfigs für alle"
    for name, text in {
        "_base_/data.py": DATA,
        "_base_/schedule.py": SCHEDULE,
        "_base_/model.py": MODEL,
        "_base_/profiles/demo.py": DEMO,
        "_base_/profiles/paper.py": "transforms = dict()\n",
        "net/leaf.py": LEAF,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / "net" / "leaf.py"


def test_a_pipeline_of_the_configs_own_profile_stands_above_the_profiles(tree):
    """The profile's arguments of transforms are for the config's pipelines, not for those that replace them."""
    own = "profiles = dict(demo=dict(test_dataloader=dict(dataset=dict(pipeline=[dict(type='Sample', n=1)]))))\n"
    tree.write_text(LEAF + own, encoding="utf-8")
    config = resolve(tree, "demo").config
    assert config["test_dataloader"]["dataset"]["pipeline"] == [{"type": "Sample", "n": 1}]
    assert config["train_dataloader"]["dataset"]["pipeline"][0] == {"type": "Sample", "n": 16}


def test_resolving_leaves_no_trace(tree):
    """Files are read once: what is made of them must not change what the next one reads."""
    before = resolve(tree, "demo")
    resolve(tree, "demo", {"model.backbone.width": 1, "test_dataloader.dataset.pipeline.0.n": 3})
    resolve(tree, "paper", {"model.head": {"_delete_": True, "type": "Other"}})
    again = resolve(tree, "demo")
    assert again == before and again.config is not before.config
    assert resolve(tree, "paper").config["model"]["head"] == {"num_classes": 25}


def test_paper_is_the_config_as_it_stands(tree):
    config = resolve(tree, "paper").config
    assert config["model"]["backbone"] == {"width": 64, "kernel": (3, 3)}
    assert config["model"]["head"] == {"num_classes": 25}, "the leaf overrides its base"
    assert config["train_cfg"] == {"max_epochs": 80}
    assert [config[f"{s}_dataloader"]["dataset"]["pipeline"][0]["n"] for s in ("train", "test")] == [32, 32]
    assert "profiles" not in config and "parents" not in config


def test_profile_file_first_then_the_configs_own_profile(tree):
    config = resolve(tree, "demo").config
    train, test = (config[f"{s}_dataloader"]["dataset"]["pipeline"] for s in ("train", "test"))
    assert train == [{"type": "Sample", "n": 16}, {"type": "Crop", "size": 224}]
    assert test == [{"type": "Sample", "n": 16, "test_mode": True}]
    assert config["train_dataloader"]["batch_size"] == 4 and config["test_dataloader"]["batch_size"] == 32
    assert config["model"]["backbone"] == {"width": 8, "kernel": (3, 3)}
    assert config["model"]["head"] == {"num_classes": 25}
    assert config["optim_wrapper"] == {"optimizer": {"type": "AdamW", "lr": 2e-3}}, "no momentum left"
    assert config["param_scheduler"] == []
    assert config["train_cfg"] == {"max_epochs": 7}, "the config's own profile has the last word"


def test_result_is_plain_and_names_its_files_and_parents(tree):
    resolved = resolve(tree, "demo")
    assert type(resolved.config["model"]["backbone"]) is dict
    assert resolved.parents == {"teacher": {"config": "teacher.py", "into": ["model.backbone.pretrained"]}}
    assert {f.name for f in resolved.files} == {"leaf.py", "data.py", "model.py", "schedule.py", "demo.py"}
    assert all(f.is_file() for f in resolved.files)


def test_overrides_come_last_and_reach_lists_and_new_arguments(tree):
    config = resolve(
        tree,
        "demo",
        {
            "model.backbone.width": 5,
            "model.backbone.dropout": 0.1,
            "train_dataloader.dataset.pipeline.1.size": 7,
        },
    ).config
    assert config["model"]["backbone"] == {"width": 5, "kernel": (3, 3), "dropout": 0.1}
    assert config["train_dataloader"]["dataset"]["pipeline"][1] == {"type": "Crop", "size": 7}


def test_resolving_leaves_no_trace_in_the_next_one(tree):
    before = resolve(tree, "demo")
    changed = resolve(tree, "demo", {"model.backbone.width": 5})
    changed.config["model"]["head"]["num_classes"] = 99
    assert resolve(tree, "demo") == before and resolve(tree, "demo").config == before.config
    assert resolve(tree, "paper").config["model"]["backbone"]["width"] == 64


def test_a_changed_file_is_read_anew(tree):
    assert resolve(tree, "demo").config["model"]["backbone"]["width"] == 8
    model = tree.parent.parent / "_base_" / "model.py"
    model.write_text(MODEL.replace("width=8", "width=12"), encoding="utf-8")
    assert resolve(tree, "demo").config["model"]["backbone"]["width"] == 12


def test_a_rendering_gets_no_training(tree):
    tree.write_text(
        "_base_ = ['../_base_/data.py']\ntrain_cfg = None\ntrain_dataloader = None\n"
        "profiles = dict(demo=dict(test_dataloader=dict(batch_size=2)))\n"
    )
    config = resolve(tree, "demo").config
    assert config["train_cfg"] is None and config["train_dataloader"] is None
    assert "optim_wrapper" not in config and "param_scheduler" not in config
    assert config["test_dataloader"]["batch_size"] == 2
    assert config["test_dataloader"]["dataset"]["pipeline"][0]["n"] == 16


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (
            "model.bakbone.width",
            ["leaf.py", "'model.bakbone.width'", "no 'bakbone' in 'model'", "backbone, head, type"],
        ),
        ("modle", ["no 'modle' at the top level", "model, optim_wrapper"]),
        ("train_dataloader.dataset.pipeline.9.size", ["pipeline' is a list", "from 0 to 1"]),
        ("model.type.x", ["'model.type' is 'Net'"]),
    ],
)
def test_unknown_override_is_one_clear_line(tree, override, words):
    with pytest.raises(ValueError) as e:
        resolve(tree, "demo", {override: 1})
    assert "\n" not in str(e.value)
    for word in words:
        assert word in str(e.value)


def test_bad_files_are_one_clear_line(tree):
    def message(error=ValueError, **kwargs):
        with pytest.raises(error) as e:
            resolve(**{"config_path": tree, "profile": "demo", **kwargs})
        assert "\n" not in str(e.value)
        return str(e.value)

    assert "choose from demo, paper" in message(profile="huge")
    assert "no such config" in message(FileNotFoundError, config_path=tree.with_name("nothing.py"))
    tree.write_text("model = dict(\n")
    assert "leaf.py: not a readable config" in message()
    tree.write_text("model = undefined_name\n")
    assert "undefined_name" in message()
    tree.write_text("_base_ = ['../_base_/gone.py']\n")
    assert "gone.py does not exist" in message(FileNotFoundError)
    tree.write_text(LEAF + "profiles = dict(demmo=dict())\n")
    assert "profiles.demmo is no profile; choose from demo, paper" in message()
    tree.write_text(LEAF + "train_cfg = None\n")
    assert "leaf.py: profiles.demo does not fit the config: train_cfg=" in message()
    tree.write_text(LEAF)
    (tree.parent.parent / "_base_/profiles/demo.py").write_text("transform = dict()\n")
    assert "unknown key 'transform'" in message()
