"""The merges of a profile and of overrides, on small config trees written by the tests."""

import re
from pathlib import Path

import pytest

from harness.plan.resolve import resolve

CONFIGS = Path(__file__).resolve().parents[3] / "mm_configs"

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
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(_delete_=True, optimizer=dict(type='AdamW', lr=2e-3))
param_scheduler = []
train_cfg = dict(max_epochs=3)
"""
LEAF = """
_base_ = ['../_base_/data.py', '../_base_/model.py', '../_base_/schedule.py']
model = dict(head=dict(num_classes=25))
parents = dict(teacher=dict(config='teacher.py', inject_at=['model.backbone.pretrained']))
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


def test_an_argument_of_a_data_set_goes_to_every_loader_that_reads_it_and_to_the_parents(tree):
    leaf = tree.read_text() + "train_dataloader = dict(dataset=dict(data_root='data/mgr_dark'))\n"
    tree.write_text(leaf + "test_dataloader = dict(dataset=dict(data_root='data/other'))\n")
    given = {"data.mgr_dark.data_root": "data/mgr_dark_light-2", "data.mgr_dark.one_in": 2, "model.head.num_classes": 3}
    plain, found = resolve(tree, "demo"), resolve(tree, "demo", given)
    train = found.config["train_dataloader"]["dataset"]
    assert train == {**plain.config["train_dataloader"]["dataset"], "data_root": "data/mgr_dark_light-2", "one_in": 2}
    assert found.config["test_dataloader"] == plain.config["test_dataloader"], "another data set"
    passed_on = {k: v for k, v in given.items() if k.startswith("data.")}
    assert found.parents["teacher"] == {**plain.parents["teacher"], "overrides": passed_on}


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
    assert resolved.parents == {"teacher": {"config": "teacher.py", "inject_at": ["model.backbone.pretrained"]}}
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
            ["leaf.py", "'model.bakbone.width'", "in 'model': unknown key 'bakbone'", "backbone, head, type"],
        ),
        ("modle", ["at the top level: unknown key 'modle'", "model, optim_wrapper"]),
        ("train_dataloader.dataset.pipeline.9.size", ["pipeline' is a list", "from 0 to 1"]),
        ("model.type.x", ["'model.type' is 'Net'"]),
    ],
)
def test_unknown_override_is_one_clear_line(tree, override, words):
    with pytest.raises(ValueError, match=re.escape(words[0])) as e:
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
    assert "profiles: unknown profile 'demmo' (near: demo); choose from demo, paper" in message()
    tree.write_text(LEAF + "train_cfg = None\n")
    assert "leaf.py: profiles.demo does not fit the config: train_cfg=" in message()
    tree.write_text(LEAF)
    (tree.parent.parent / "_base_/profiles/demo.py").write_text("transform = dict()\n")
    assert "unknown key 'transform'" in message()


def say(tree, text):
    tree.write_text(LEAF.replace("model = dict(head=dict(num_classes=25))\n", "") + text, encoding="utf-8")


def test_what_a_config_says_of_its_network_holds_at_every_profile(tree):
    """MMEngine's rule for bases, for their profiles as well: MODEL's own demo has width 8."""
    say(tree, "model = dict(backbone=dict(width=40))\n")
    assert [resolve(tree, p).config["model"]["backbone"]["width"] for p in ("demo", "paper")] == [40, 40]
    assert resolve(tree, "demo").config["train_cfg"] == {"max_epochs": 7}, "the schedule stays the profile's"


def test_a_config_that_inherits_from_it_says_so_in_its_turn(tree):
    say(
        tree, "model = dict(backbone=dict(width=40))\nprofiles = dict(demo=dict(model=dict(backbone=dict(width=20))))\n"
    )
    below = tree.with_name("below.py")
    for text, width in (("", 20), ("model = dict(backbone=dict(width=41))\n", 41)):
        below.write_text(f"_base_ = './leaf.py'\n{text}", encoding="utf-8")
        assert resolve(below, "demo").config["model"]["backbone"]["width"] == width
    assert resolve(tree, "demo").config["model"]["backbone"]["width"] == 20, "read through a child or not"


@pytest.mark.parametrize(
    "section", ["", "profiles = dict(_delete_=True)\n", "profiles = dict(demo=dict(_delete_=True))\n"]
)
def test_a_replaced_part_gets_nothing_of_what_profiles_say_of_the_one_before(tree, section):
    say(tree, "model = dict(backbone=dict(_delete_=True, type='Mine', size=3))\n" + section)
    assert resolve(tree, "demo").config["model"]["backbone"] == {"type": "Mine", "size": 3}


@pytest.mark.parametrize("marker", ["", "_delete_=True, "])
def test_a_replaced_part_has_profiles_of_its_own(tree, marker):
    own = f"profiles = dict(demo=dict(model=dict(backbone=dict({marker}size=1))))\n"
    say(tree, "model = dict(backbone=dict(_delete_=True, type='Mine', size=3))\n" + own)
    assert resolve(tree, "demo").config["model"]["backbone"] == {"type": "Mine", "size": 1}
    assert resolve(tree, "paper").config["model"]["backbone"] == {"type": "Mine", "size": 3}


OWN_SCHEDULE = """
train_dataloader = dict(batch_size=64, num_workers=9, dataset=dict(pipeline=[dict(type='Sample', n=24)]))
optim_wrapper = dict(optimizer=dict(lr=0.5))
"""


def test_what_a_profile_overrides_of_the_configs_own_values_is_named(tree):
    say(tree, OWN_SCHEDULE)
    found = {o.key: (o.own, o.value) for o in resolve(tree, "demo").overridden}
    assert found == {
        "train_dataloader.batch_size": (64, 4),
        "train_dataloader.dataset.pipeline.0.n": (24, 16),
        "optim_wrapper.optimizer.lr": (0.5, 2e-3),
    }
    remark = resolve(tree, "demo").remark("demo")
    assert "optim_wrapper.optimizer.lr = 0.5 (0.002)" in remark and "profiles = dict(demo=dict(" in remark
    assert resolve(tree, "paper").remark("paper") == ""


def test_nothing_is_named_of_what_bases_say(tree):
    assert resolve(tree, "demo").overridden == ()


def test_a_config_has_values_of_its_own_per_profile_for_every_key(tree):
    own = (
        "profiles = dict(demo=dict(train_dataloader=dict(batch_size=2), optim_wrapper=dict(optimizer=dict(lr=0.25)),\n"
        "    param_scheduler=[dict(type='Own')], train_cfg=dict(max_epochs=5), transforms=dict(Sample=dict(n=12))))\n"
    )
    say(tree, OWN_SCHEDULE + own)
    resolved = resolve(tree, "demo")
    config = resolved.config
    assert config["train_dataloader"]["batch_size"] == 2 and config["train_cfg"] == {"max_epochs": 5}
    assert config["optim_wrapper"] == {"optimizer": {"type": "AdamW", "lr": 0.25}}
    assert config["param_scheduler"] == [{"type": "Own"}]
    assert [config[f"{s}_dataloader"]["dataset"]["pipeline"][0]["n"] for s in ("train", "test")] == [12, 12]
    assert resolved.overridden == ()


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (
            "modle=dict(width=3)",
            ["leaf.py: profiles.demo", "unknown key 'modle' (near: model", "model, model_wrapper_cfg"],
        ),
        (
            "transforms=dict(Smaple=dict(n=3))",
            ["profiles.demo.transforms", "unknown transform 'Smaple' (near: Sample)", "Crop, Sample"],
        ),
    ],
)
def test_a_profile_of_its_own_that_would_change_nothing_is_refused(tree, section, words):
    tree.write_text(f"{LEAF}profiles = dict(demo=dict({section}))\n", encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(words[0])) as e:
        resolve(tree, "demo")
    assert "\n" not in str(e.value) and all(w in str(e.value) for w in words)


@pytest.mark.parametrize("text", ["randomness = dict(seed=7)", "profiles = dict(demo=dict(randomness=dict(seed=7)))"])
def test_the_seed_is_the_runs(tree, text):
    tree.write_text(f"{LEAF}{text}\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"leaf.py: (profiles.demo.)?randomness .*the seed is the run's \(--seeds N"
    ) as e:
        resolve(tree, "demo")
    assert "\n" not in str(e.value)


def test_transforms_of_ones_own_beside_loaders_of_ones_own(tree):
    loaders = "train_dataloader=dict(batch_size=2), test_dataloader=dict(batch_size=3)"
    tree.write_text(
        f"{LEAF}profiles = dict(demo=dict({loaders}, transforms=dict(Sample=dict(n=12))))\n", encoding="utf-8"
    )
    config = resolve(tree, "demo").config
    assert [config[f"{s}_dataloader"]["batch_size"] for s in ("train", "test")] == [2, 3]
    assert [config[f"{s}_dataloader"]["dataset"]["pipeline"][0]["n"] for s in ("train", "test")] == [12, 12]
    new = "train_dataloader=dict(dataset=dict(pipeline=[dict(type='New', k=1)])), transforms=dict(New=dict(k=2))"
    tree.write_text(f"{LEAF}profiles = dict(demo=dict({new}))\n", encoding="utf-8")
    assert resolve(tree, "demo").config["train_dataloader"]["dataset"]["pipeline"] == [{"type": "New", "k": 2}]


def test_a_marker_where_there_is_nothing_to_delete_is_no_argument(tree):
    own = "profiles = dict(demo=dict(model=dict(neck=dict(_delete_=True, type='N', inner=dict(_delete_=True, a=1)))))\n"
    tree.write_text(LEAF + own, encoding="utf-8")
    assert resolve(tree, "demo").config["model"]["neck"] == {"type": "N", "inner": {"a": 1}}


def test_a_rate_beside_a_schedule_that_has_its_own_is_said(tree):
    cycle = "param_scheduler=[dict(type='OneCycleLR', eta_max={})]"
    for eta_max, said in ((0.25, False), (0.5, True)):
        own = f"profiles = dict(demo=dict(optim_wrapper=dict(optimizer=dict(lr=0.25)), {cycle.format(eta_max)}))\n"
        tree.write_text(LEAF + own, encoding="utf-8")
        remark = resolve(tree, "demo").remark("demo")
        assert remark == ("lr = 0.25 has no effect: OneCycleLR sets the rate, up to eta_max = 0.5" if said else "")


def test_a_base_of_an_installed_package(tree):
    """MMAction2's own TSN as the model, under this tree's profiles."""
    text = "_base_ = ['mmaction::_base_/models/tsn_r50.py', '../_base_/data.py', '../_base_/schedule.py']\n"
    tree.write_text(text + "model = dict(cls_head=dict(num_classes=7))\n", encoding="utf-8")
    resolved = resolve(tree, "demo")
    assert (
        resolved.config["model"]["type"] == "Recognizer2D" and resolved.config["model"]["cls_head"]["num_classes"] == 7
    )
    assert resolved.config["model"]["cls_head"]["in_channels"] == 2048 and resolved.config["train_cfg"] == {
        "max_epochs": 3
    }
    assert "tsn_r50.py" in {f.name for f in resolved.files}


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("mmaction::_base_/models/no_such.py", ["no such config", "those of mmaction lie in"]),
        ("no_such_package::models/x.py", ["package 'no_such_package' is not installed"]),
    ],
)
def test_a_base_that_no_package_has_is_one_clear_line(tree, base, words):
    tree.write_text(f"_base_ = '{base}'\n")
    with pytest.raises(FileNotFoundError) as e:
        resolve(tree, "demo")
    assert "\n" not in str(e.value) and all(w in str(e.value) for w in ["leaf.py", base, *words])


@pytest.mark.parametrize("profile", ["smoke", "paper"])
def test_a_folder_named_with_dots_is_the_same_folder(profile):
    straight = CONFIGS / "mtcd" / "mtcd_teacher_mgr-dark-ir.py"
    around = CONFIGS / "mtcd" / ".." / ".." / CONFIGS.name / "mtcd" / straight.name
    assert resolve(around, profile) == resolve(straight, profile)
