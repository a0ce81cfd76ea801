"""``models check``: every entry of the repository is sound,
and for each thing that can be wrong it says what to change.
"""

import contextlib
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from harness.fingerprint import code
from harness.measure.checks import entry as checking
from harness.measure.checks import network
from harness.measure.checks.declared import EntryUnderCheck, looks_around, resolves
from harness.measure.checks.entry import check_entries
from harness.measure.checks.network import builds, builds_elsewhere
from harness.measure.parts import ParentWeights, build, quietly, shapes
from harness.plan.resolve import resolve
from harness.plan.twins import Known, twins
from harness.suite import expand, load_benchmark, load_entries
from harness.suite.scaffold import new_entry
from tests.helpers.outside_network import SOURCE

CONFIGS = Path(__file__).parents[3] / "mm_configs"
FOLDERS = sorted(p.parent.name for p in CONFIGS.glob("*/metafile.yml"))


def load(configs):
    benchmark = load_benchmark(configs / "benchmark.yml")
    return benchmark, load_entries(configs, benchmark)


def wrong(configs, folder="i3d"):
    """The findings that are not in order, as ``check: remedy``."""
    entries = load(configs)[1]
    chosen = [e for e in entries.values() if e.config.parent.name == folder]
    return [f"{f.what}: {f.remedy}" for f in check_entries(chosen, entries) if not f.ok]


def notes(configs, folder="i3d"):
    """What the check says of the entries of a folder that is no fault, without building them."""
    entries = load(configs)[1]
    found = []
    for entry in entries.values():
        if entry.config.parent.name == folder:
            subject = EntryUnderCheck(entry, ParentWeights(entries, ""))
            resolves(subject)
            looks_around(subject)
            found += [f"{entry.name}: {note}" for note in subject.notes]
    return found


OF_THE_DATA = {"num_classes", "in_channels", "mean", "std", "statistics"}
KNOWN: Known = {}  # what is found of all entries while those of one folder are checked
LEARNED: set = set()  # the networks that overfitted, of whichever folder


def network_of(config, without=OF_THE_DATA):
    """What entries on other data sets and modalities have in common with the first of their network."""

    def common(node):
        if isinstance(node, dict):
            return {k: common(v) for k, v in node.items() if k not in without}
        if isinstance(node, (list, tuple)):
            return [common(v) for v in node]
        return "weights" if isinstance(node, str) and node.endswith(".pth") else node

    return repr([common(config.get(key)) for key in ("model", "default_hooks", "custom_hooks")])


def at_other_profiles(subject):
    """The networks of an entry at the laptop's and the paper's profile, and the clips that the first of them sees.

    The number of classes is checked at every profile by the tests of ``mm_configs``.
    """
    demo, paper = (resolve(subject.entry.config, profile).config for profile in ("demo", "paper"))
    seen = shapes(demo, "test", subject.entry.test_modality) if subject.entry.classifies else ""
    return repr([network_of(config, {"num_classes"}) for config in (demo, paper)] + [seen])


def of_network(subject):
    return network_of(subject.config)


def behind_its_input(subject):
    """The network without what is done to its input: 3DDSN's is C3D."""
    config = subject.config
    return network_of({"model": {k: v for k, v in config["model"].items() if k != "data_preprocessor"}})


@pytest.fixture
def each_network_once(monkeypatch):
    """What takes long is done once for all entries of a network; each entry is built and predicts."""

    def once(name, network_of, tried):
        check = getattr(network, name)

        def run(subject):
            if (asked := (name, network_of(subject))) not in tried:
                check(subject)
                tried.add(asked)

        monkeypatch.setattr(network, name, run)

    tried: set = set()
    for name in ("is_counted", "trains_a_step", "saves_and_loads", "resumes"):
        once(name, of_network, tried)
    once("builds_elsewhere", at_other_profiles, tried)
    once("overfits", behind_its_input, LEARNED)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_entry_is_sound(folder, each_network_once, monkeypatch):
    """That every weight of each single entry takes part in a step is checked by the tests of ``mm_configs``."""
    monkeypatch.setattr(checking, "Known", lambda: KNOWN)
    assert wrong(CONFIGS, folder) == []


def copied(root, *folders):
    """A copy of what the entries of some folders are made of."""
    for name in ("_base_", *folders):
        shutil.copytree(CONFIGS / name, root / name)
    shutil.copy(CONFIGS / "benchmark.yml", root)
    return root


@pytest.fixture
def configs(tmp_path):
    """A copy of the configs with one entry, in a folder whose name has a space and an accent."""
    root = tmp_path / "mes réseaux"
    shutil.copytree(CONFIGS / "_base_", root / "_base_")
    shutil.copy(CONFIGS / "benchmark.yml", root)
    (root / "i3d").mkdir()
    shutil.copy(CONFIGS / "i3d" / "i3d_r50_mgr-dark-rgb.py", root / "i3d")
    edit(root, lambda m: None, CONFIGS / "i3d" / "metafile.yml")
    return root


def edit(root, change, source=None):
    path = root / "i3d" / "metafile.yml"
    meta = yaml.safe_load((source or path).read_text(encoding="utf-8"))
    meta["Models"] = [m for m in meta["Models"] if m["Name"] == "i3d_r50_mgr-dark-rgb"]
    change(meta)
    path.write_text(yaml.safe_dump(meta), encoding="utf-8")


def collection(field, value):
    return lambda root: edit(root, lambda m: m["Collections"][0].update({field: value}))


def append(text):
    def change(root):
        path = root / "i3d" / "i3d_r50_mgr-dark-rgb.py"
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        (collection("Paper", {}), "metafile", ["Paper.Title", "metafile.yml", "unpublished"]),
        (collection("Metadata", {"Family": "x"}), "metafile", ["Metadata.Architecture", "e.g."]),
        (collection("Metadata", {"Architecture": ["x"]}), "metafile", ["Metadata.Family"]),
        (
            lambda r: edit(r, lambda m: m["Models"][0]["Metadata"].pop("Pretrained")),
            "metafile",
            ["Metadata.Pretrained"],
        ),
        (append("\nmodel = dict("), "config resolves", ["not a readable config", "i3d_r50_mgr-dark-rgb.py"]),
        (
            append("\nprofiles = dict(laptop=dict())"),
            "config resolves",
            ["profiles: unknown profile 'laptop'", "demo, paper, smoke"],
        ),
        (
            append("\nparents = dict(teacher=dict(config='gone.py', inject_at=['model.x']))"),
            "config resolves",
            ["parents.teacher.config gone.py", "add it there"],
        ),
        (
            append("\ncustom_imports = dict(imports=['no_such_package'], allow_failed_imports=False)"),
            "custom imports",
            ["no_such_package; install the package with this", "or fix custom_imports of i3d_r50_mgr-dark-rgb.py"],
        ),
        (
            append("\ntrain_dataloader = dict(dataset=dict(modalities=['rgb', 'ir']))"),
            "uses the modalities",
            [
                "train_dataloader reads RGB+IR",
                "declares Training Modalities RGB;",
                "correct the dataset's `modalities`",
            ],
        ),
        (
            append("\ntest_dataloader = dict(dataset=dict(modalities=['depth']))"),
            "uses the modalities",
            ["test_dataloader reads Depth", "declares Modality RGB;"],
        ),
        (
            append("\nmodel = dict(type='NoSuchNet')"),
            "builds",
            ["model.type: no class 'NoSuchNet' is", "custom_imports"],
        ),
        (
            append("\nmodel = dict(backbone=dict(type='ResNet3D'))"),
            "builds",
            ["model.backbone.type: no class 'ResNet3D' is registered (near: ResNet3d", "i3d_r50_mgr-dark-rgb.py"],
        ),
        (
            append("\ncustom_hooks = [dict(type='EmptyCaheHook')]"),
            "classes are registered",
            [
                "i3d_r50_mgr-dark-rgb.py",
                "custom_hooks.0.type: no class 'EmptyCaheHook' is registered (near: EmptyCacheHook",
            ],
        ),
        (
            append(
                "\noptim_wrapper = dict(optimizer=dict(type='NoSuchSGD'))\nprofiles = dict(smoke=dict(optim_wrapper="
                "dict(optimizer=dict(type='NoSuchSGD'))))"
            ),
            "classes are registered",
            ["i3d_r50_mgr-dark-rgb.py", "optim_wrapper.optimizer.type: no class 'NoSuchSGD' is registered"],
        ),
        (
            append("\nprofiles = dict(demo=dict(model=dict(cls_head=dict(in_channels=77))))"),
            "fits together at every profile",
            ["at profile demo", "77", "profiles = dict(demo=dict(model=...))"],
        ),
        (
            append(
                "\nmodel = dict(cls_head=dict(in_channels=512))\nprofiles = dict(smoke=dict(model=dict(cls_head=dict("
                "in_channels=512))))"
            ),
            "predicts a batch of one",
            ["channels and the class layer takes 512; set model.cls_head.in_channels=32 in i3d_r50_mgr-dark-rgb.py"],
        ),
        (
            append("\nprofiles = dict(demo=dict(train_dataloader=dict(batchsize=8)))"),
            "config resolves at every profile",
            ["train_dataloader: unknown key 'batchsize' (near: batch_size"],
        ),
        (
            append("\nmodel = dict(backbone=dict(base_chanels=8))"),
            "builds",
            ["ResNet3d has no argument 'base_chanels' (near: base_channels"],
        ),
        (
            append("\nmodel = dict(cls_head=dict(droput_ratio=0.1))"),
            "builds",
            ["I3DHead has no argument 'droput_ratio' (near: dropout_ratio"],
        ),
        (
            append("\nprofiles = dict(paper=dict(model=dict(backbone=dict(base_chanels=64))))"),
            "fits together at every profile",
            ["at profile paper: TypeError", "base_chanels", "profiles = dict(paper=dict(model=...))"],
        ),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_with_what_to_change(configs, change, check, words):
    change(configs)
    found = wrong(configs)
    assert len(found) == 1 and found[0].startswith(check) and "\n" not in found[0], found
    assert all(w in found[0] for w in words), found


def donor_of(configs, change=lambda state: state, profile="smoke", **backbone):
    """The weights of I3D at a profile, changed."""
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    model = resolve(configs / "i3d" / "i3d_r50_mgr-dark-rgb.py", profile).config["model"]
    return change(MODELS.build({**model, "backbone": {**model["backbone"], **backbone}}).state_dict())


def poison(state):
    state["backbone.conv1.conv.weight"][0] = float("nan")
    return state


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda c, p: p.write_text("<!DOCTYPE html>"), "w.pth (15 bytes) is not a readable checkpoint: copy or"),
        (lambda c, p: p.touch(), "w.pth (0 bytes) is not a readable checkpoint"),
        (lambda c, p: None, "w.pth do not exist"),
        (lambda c, p: _save(donor_of(c, base_channels=6), p), "another width or depth?"),
        (
            lambda c, p: _save({k: v for k, v in donor_of(c).items() if ".layer4" not in k and ".layer3" not in k}, p),
            "of the backbone fit",
        ),
        (
            lambda c, p: _save(donor_of(c, poison), p),
            "tensors hold NaN or infinite values, first 'backbone.conv1.conv.weight'",
        ),
    ],
    ids=["html", "empty", "gone", "width", "part", "nan"],
)
def test_load_from_is_tried_as_the_run_would(configs, tmp_path, make, words):
    make(configs, tmp_path / "w.pth")
    append(f"\nload_from = '{tmp_path}/w.pth'")(configs)
    (found,) = wrong(configs)
    assert found.startswith("starting weights are loaded: at profile smoke and demo and paper: ") and words in found, (
        found
    )


def _save(state, path):
    torch.save({"state_dict": state}, path)


def test_weights_that_fit_one_profile_are_given_there_alone(configs, tmp_path):
    _save(donor_of(configs), tmp_path / "w.pth")
    append(f"\nload_from = '{tmp_path}/w.pth'")(configs)
    (found,) = wrong(configs)
    assert "at profile demo and paper: " in found
    assert found.endswith(
        "at profile smoke they fit: to load them there alone, move the setting into "
        "profiles = dict(smoke=dict(load_from=...))"
    )
    append(f"\nload_from = None\nprofiles = dict(smoke=dict(load_from='{tmp_path}/w.pth'))")(configs)
    assert wrong(configs) == []


def test_a_class_that_is_not_registered_is_no_fault_of_the_weights(configs, tmp_path):
    _save(donor_of(configs), tmp_path / "w.pth")
    append(f"\nload_from = '{tmp_path}/w.pth'\nmodel = dict(backbone=dict(type='ResNet3D'))")(configs)
    (found,) = wrong(configs)
    assert found.startswith("builds: model.backbone.type: no class 'ResNet3D'")


def test_listed_weights_are_tried_where_they_are_there(configs, tmp_path):
    entries = load(configs)[1]
    (note,) = [f.remedy for f in check_entries(entries.values(), entries, {"paper": "pretrained"}) if f.remedy]
    assert (
        note.startswith("starting weights at profile paper were not tried: I3D starts from https://")
        and "put it at" in note
    )
    (tmp_path / "w.pth").write_text("<!DOCTYPE html>")
    collection("Starting Weights", [{"File": str(tmp_path / "w.pth"), "Into": "model.backbone"}])(configs)
    entries = load(configs)[1]
    (found,) = [f.remedy for f in check_entries(entries.values(), entries, {"paper": "pretrained"}) if not f.ok]
    assert found.startswith("at profile paper: ") and "is not a readable checkpoint" in found
    assert "profiles = dict(" not in found, "no other profile has weights that the metafile lists"


def test_a_loss_with_smoothed_labels_is_sound(configs):
    append("\nmodel = dict(cls_head=dict(label_smooth_eps=0.3))")(configs)
    assert wrong(configs) == []


OUTSIDE = """
custom_imports = dict(imports=['mtcd_plugin.register', 'outside_package'], allow_failed_imports=False)
model = dict(_delete_=True, type='OutsideNet', defect='{}',
             data_preprocessor=dict(type='ClipDataPreprocessor', format_shape='NCTHW'))
"""


@pytest.fixture
def outside(configs, tmp_path, monkeypatch):
    """The entry with a network from a package that is installed elsewhere; call it with a defect."""
    (tmp_path / "elsewhere" / "outside_package").mkdir(parents=True)
    (tmp_path / "elsewhere" / "outside_package" / "__init__.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))

    def make(defect=""):
        append(OUTSIDE.format(defect))(configs)
        return wrong(configs)

    return make


def test_a_class_of_an_installed_package_is_sound(outside):
    assert outside() == []


def test_an_entry_that_sees_two_modalities_at_once_is_sound(outside, configs):
    def declare(meta):
        meta["Models"][0] |= {"Modality": "Depth+RGB", "Training Modalities": ["RGB", "Depth"]}

    edit(configs, declare)
    append("\nfor_both = dict(dataset=dict(modalities=['rgb', 'depth']))")(configs)
    append("\ntrain_dataloader = for_both\ntest_dataloader = for_both\ndel for_both")(configs)
    (entry,) = load(configs)[1].values()
    assert entry.test_modality == "rgb+depth" and entry.test_modalities == ("rgb", "depth")
    assert outside() == []


def test_the_source_of_an_installed_package_is_part_of_the_key(outside, configs, tmp_path, mgr_dark_root):
    from harness.plan.jobs import Settings
    from harness.plan.planner import make_plan

    outside()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mgr_dark").symlink_to(mgr_dark_root)
    benchmark, entries = load(configs)
    benchmark = benchmark.model_copy(update={"tables": benchmark.tables[:1], "figures": []})
    code.forget()
    cells = expand(benchmark, entries, "smoke", None, 1)
    plan = make_plan(cells, entries, Settings(configs, "smoke", tmp_path / "data"))
    assert not plan.errors and "outside_package" in {m for j in plan.jobs.values() for m in j.identity.code}
    code.forget()


@pytest.mark.parametrize(
    ("defect", "check", "words"),
    [
        ("broken", "builds", ["no such width", "fix `model`"]),
        ("not counted", "parameters and FLOPs", ["0 multiply-adds", "does the model predict through forward"]),
        ("squeezed", "predicts a batch of one", ["fix forward(mode='predict')", "keep the axis"]),
        ("not finite", "predicts a batch of one", ["not finite", "check initialisation"]),
        ("nameless", "one batch", ["returns penalty", "name at least one term loss_"]),
        ("nan", "one batch", ["loss_cls of a random batch is not finite"]),
        ("frozen", "one batch", ["no parameter got a gradient", "frozen or detached"]),
        ("detached", "one batch", ["no parameter got a gradient"]),
        ("hidden state", "saves, loads", ["keep all state in parameters and buffers"]),
        ("random", "saves, loads", ["draw nothing in eval mode"]),
        ("counting", "resumes", ["'fc.weight' differs", "keep its state in a parameter or buffer"]),
        ("blind", "overfits", ["not below 0.35", "does the gradient reach the backbone"]),
    ],
)
def test_a_network_that_is_not_sound_is_found_out(outside, defect, check, words):
    found = outside(defect)
    assert len(found) == 1 and found[0].startswith(check) and "\n" not in found[0], found
    assert all(w in found[0] for w in words), found


@pytest.mark.parametrize("modalities", [(), ("Depth",)])
def test_a_new_folder_passes_its_check_and_is_a_row_of_the_plan(tmp_path, each_network_once, modalities):
    root = copied(tmp_path / "configs", "i3d")
    benchmark, entries = load(root)
    written = new_entry(root, "mine", entries["i3d_r50_mgr-dark-rgb"], entries, benchmark, modalities)
    assert all("mine" in p.parts for p in written)
    assert wrong(root, "mine") == []
    benchmark, entries = load(root)
    mine = {e.name for e in entries.values() if e.config.parent.name == "mine"}
    rows = {c.entry.name for c in expand(benchmark, entries, "smoke", ["table2", "table3"]) if c.entry.name in mine}
    tests = {entries[n].test_modality for n in mine}
    assert tests == set(map(str.lower, modalities) if modalities else ("rgb", "depth", "ir"))
    assert rows == {n for n in mine if entries[n].test_modality != "ir"}, "the tables have no infrared column"


@pytest.mark.parametrize(
    ("name", "base", "modalities", "words"),
    [
        ("My Method", "i3d_r50_mgr-dark-rgb", (), r"must match \[a-z\]"),
        ("i3d", "i3d_r50_mgr-dark-rgb", (), "is there already; choose another name"),
        ("mine", "i3d_r50_mgr-dark-rgb", ("sonar",), "choose from rgb, depth, ir"),
    ],
)
def test_a_folder_that_cannot_be_written_is_refused_and_nothing_is_left(tmp_path, name, base, modalities, words):
    root = copied(tmp_path / "configs", "i3d")
    benchmark, entries = load(root)
    before = sorted(root.rglob("*"))
    with pytest.raises(ValueError, match=words):
        new_entry(root, name, entries[base], entries, benchmark, modalities)
    assert sorted(root.rglob("*")) == before


def test_state_that_no_checkpoint_has_is_found_out(tmp_path):
    """The translator's image pools are full when its check resumes it: without the hook it becomes another training."""
    root = copied(tmp_path / "configs", "mtcd")
    runtime = root / "_base_" / "default_runtime.py"
    entries = load(root)[1]
    name = "mtcd_translator_sysu-mm01"
    assert [f for f in check_entries([entries[name]], entries) if not f.ok] == []
    text, count = re.subn(r"training_state=dict\(type='TrainingStateHook'\),?", "", runtime.read_text())
    assert count == 1
    runtime.write_text(text)
    (found,) = [f for f in check_entries([entries[name]], entries) if not f.ok]
    assert found.what == "resumes to the same weights" and "differs from an uninterrupted training" in found.remedy


BASES = ["i3d_r50", "c3d", "resc3d", "tsn_r50", "swin_tiny", "mvit_small", "timesformer_divst"]


@pytest.fixture
def i3d(tmp_path):
    """A copy of I3D's entries."""
    return copied(tmp_path / "configs", "i3d")


def same_as(configs, name):
    """Entries that an entry is the same run as, at each profile."""
    entries = load(configs)[1]
    return [twins(entries[name], entries.values(), p) for p in ("smoke", "demo", "paper")]


def uncommented(text, start):
    """A file with the comment line that starts so as code."""
    lines = text.splitlines()
    assert sum(line.startswith(f"# {start}") for line in lines) == 1
    return "\n".join(line.removeprefix("# ") if line.startswith(f"# {start}") else line for line in lines)


@pytest.mark.parametrize("base", BASES)
def test_the_examples_of_a_new_folder_change_the_run_at_every_profile(tmp_path, base):
    configs = copied(tmp_path / "configs", base.split("_")[0])
    benchmark, entries = load(configs)
    new_entry(configs, "mine", entries[f"{base}_mgr-dark-rgb"], entries, benchmark, ("rgb",))
    path = configs / "mine" / "mine_mgr-dark-rgb.py"
    scaffold = path.read_text(encoding="utf-8")
    assert same_as(configs, path.stem) == [[f"{base}_mgr-dark-rgb"]] * 3, "as it was written"
    path.write_text(uncommented(scaffold, "model = dict(cls_head=dict(dropout_ratio="), encoding="utf-8")
    assert same_as(configs, path.stem) == [[], [], []]
    path.write_text(uncommented(scaffold, "profiles = dict(demo="), encoding="utf-8")
    config = resolve(path, "demo").config
    assert config["train_dataloader"]["batch_size"] == 8
    assert {
        t["clip_len"]
        for s in ("train", "test")
        for t in config[f"{s}_dataloader"]["dataset"]["pipeline"]
        if t["type"] == "SampleClipFrames"
    } == {8}


def test_the_guide_is_followed_literally(i3d):
    guide = (CONFIGS.parent / "docs" / "methods.md").read_text(encoding="utf-8").split("## 2.")[0]
    example, own = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    benchmark, entries = load(i3d)
    new_entry(i3d, "my-method", entries["i3d_r50_mgr-dark-rgb"], entries, benchmark)
    path = i3d / "my-method" / "my-method_mgr-dark-rgb.py"
    path.write_text(example, encoding="utf-8")
    assert same_as(i3d, path.stem) == [[], [], []]
    path.write_text(example + own, encoding="utf-8")
    resolved = resolve(path, "demo")
    assert resolved.remark("demo") == "" and resolved.config["train_dataloader"]["batch_size"] == 8
    assert resolved.config["model"]["backbone"]["base_channels"] == 24
    assert resolve(path, "smoke").config["model"]["backbone"]["base_channels"] == 4
    entries = load(i3d)[1]
    subject = EntryUnderCheck(entries[path.stem], ParentWeights(entries, ""))
    with quietly():
        builds(subject)
        builds_elsewhere(subject)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("test_evaluator = [dict(type='AccMetric')]", ["at profile smoke"]),
        ("profiles = dict(demo=dict(test_evaluator=[dict(type='AccMetric')]))", ["at profile demo"]),
        ("test_evaluator = []", ["at profile smoke"]),
    ],
)
def test_an_entry_that_predicts_a_class_writes_its_predictions_down(configs, text, words):
    append("\n" + text)(configs)
    (found,) = wrong(configs)
    assert all(
        w in found for w in [*words, "test_evaluator has no ClipPredictions", "of a single", "i3d_r50_mgr-dark-rgb.py"]
    )


def test_what_is_no_fault_is_said(i3d):
    benchmark, entries = load(i3d)
    new_entry(i3d, "mine", entries["i3d_r50_mgr-dark-rgb"], entries, benchmark, ("rgb",))
    assert notes(i3d, "mine") == [
        f"mine_{x}: the same run as i3d_r50_{x} at every profile: nothing in which they differ counts there"
        for x in ("mgr-dark-rgb", "nvgesture-rgb")
    ]
    path = i3d / "mine" / "mine_mgr-dark-rgb.py"
    path.write_text(
        path.read_text(encoding="utf-8") + "optim_wrapper = dict(optimizer=dict(lr=3e-4))\n", encoding="utf-8"
    )
    first, second, _ = notes(i3d, "mine")
    assert "profile demo overrides what the config says: optim_wrapper.optimizer.lr = 0.0003 (0.001)" in first
    assert "the same run as i3d_r50_mgr-dark-rgb at profile demo:" in second


def test_what_a_metafile_says_of_another_network_is_said(i3d):
    benchmark, entries = load(i3d)
    (path, metafile) = new_entry(i3d, "mine", entries["i3d_r50_mgr-dark-ir"], entries, benchmark, ("ir",))[::2]
    assert not any("those of I3D" in n for n in notes(i3d, "mine"))
    path.write_text(path.read_text() + "model = dict(backbone=dict(_delete_=True, type='C3D'))\n")
    (found,) = [n for n in notes(i3d, "mine") if "those of I3D" in n]
    assert "Architecture, Family, Starting Weights in" in found and "ResNet3d; this one's is C3D" in found
    assert "name its own Starting Weights or none" in metafile.read_text()
    meta = yaml.safe_load(metafile.read_text())
    meta["Collections"][0]["Metadata"].update({"Architecture": ["Mine"], "Family": "Mine"})
    metafile.write_text(yaml.safe_dump(meta))
    (found,) = [n for n in notes(i3d, "mine") if "those of I3D" in n]
    assert ": Starting Weights in" in found
    meta["Collections"][0].pop("Starting Weights")
    metafile.write_text(yaml.safe_dump(meta))
    assert not any("those of I3D" in n for n in notes(i3d, "mine"))


BACKBONE = """
from mmaction.registry import MODELS
from torch import nn
from .parts import convolution


@MODELS.register_module(name='TestsOwnNet', force=True)
class Small(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = convolution(width)

    def init_weights(self):
        pass

    def forward(self, x):
        return self.conv(x)
"""
OWN_NET = """
custom_imports = dict(imports=['mtcd_plugin.register', 'outside_nets'], allow_failed_imports=False)
model = dict(backbone=dict(_delete_=True, type='TestsOwnNet', width=12), cls_head=dict(in_channels=12))
test_evaluator = [dict(type='ClipPredictions'), dict(type='ConjuredMetric')]
"""


def test_a_backbone_of_ones_own_needs_no_profiles(configs, tmp_path, monkeypatch):
    """In a package with relative imports, registered under another name;
    the head's in_channels holds at every profile.
    """
    package = tmp_path / "elsewhere" / "outside_nets"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from . import net\n")
    (package / "net.py").write_text(BACKBONE)
    (package / "parts.py").write_text(
        "from torch import nn\n\n\ndef convolution(width):\n    return nn.Sequential(nn.Conv3d(3, width, 3, stride=2), "
        "nn.BatchNorm3d(width), nn.ReLU(), nn.Conv3d(width, width, 3, stride=2), nn.ReLU())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    # Registered by no module that the config names.
    monkeypatch.setitem(METRICS.module_dict, "ConjuredMetric", type("ConjuredMetric", (BaseMetric,), {}))
    code.forget()
    append(OWN_NET)(configs)
    entries = load(configs)[1]
    found = list(check_entries(entries.values(), entries))
    assert [f.remedy for f in found if not f.ok] == []
    assert [f.remedy for f in found if f.remedy] == [
        "code not tracked: ConjuredMetric; a change of it does not make a run stale"
    ]
    config = resolve(entries["i3d_r50_mgr-dark-rgb"].config, "demo").config
    used = code.code_fingerprint(config, code.imported_modules(config))
    assert {m for m in used if m.startswith("outside_nets")} == {"outside_nets:Small", "outside_nets:convolution"}


def test_the_check_can_be_imported_first(fresh_python):
    """MMAction2's wheel lacks a module, which the plugin puts right before it is imported."""
    found = fresh_python("import harness.measure.checks.entry")
    assert found.returncode == 0, found.stderr[-500:]


def test_a_check_that_takes_long_is_named_meanwhile_with_the_size_of_the_network(small_configs, monkeypatch):
    began = []
    monkeypatch.setattr(checking, "said_if_slow", lambda say, line: contextlib.nullcontext(say(line)))
    entries = load(small_configs)[1]
    chosen = entries["i3d_r50_mgr-dark-rgb"]
    done = [f.what for f in check_entries([chosen], entries, None, began.append) if not f.remedy]
    assert [line.split(": ")[1] for line in began] == done
    assert began[0] == f"checking {chosen.name}: metafile is complete"
    size = sum(p.numel() for p in build(resolve(chosen.config, "smoke").config).parameters()) / 1e6
    assert f"({size:.3g} M parameters, on one core): overfits" in began[-1]
