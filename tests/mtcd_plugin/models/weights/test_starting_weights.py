"""Six networks, six ways of giving them starting weights."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mtcd_plugin.models.weights.init_cfg import start_reports
from mtcd_plugin.models.weights.starting_weights import LoadReport, fit
from tests.helpers import zoo

CONFIGS = Path(__file__).parents[4] / "mm_configs"
NETWORKS = tuple(zoo.RECOGNIZERS)


def given_by_model_init_cfg(config, state, folder, name):
    config["init_cfg"] = dict(type="Pretrained", checkpoint=zoo.save(state, folder / "w.pth"))


def given_by_model_init_cfg_as_file_url(config, state, folder, name):
    config["init_cfg"] = dict(type="Pretrained", checkpoint="file://" + zoo.save(state, folder / "a b.pth"))


def given_by_backbone_init_cfg(config, state, folder, name):
    file = zoo.save(zoo.backbone_of(state), folder / "w.pth")
    config["backbone"]["init_cfg"] = dict(type="Pretrained", checkpoint=file)
    if name == "mvit":
        config["backbone"]["pretrained_type"] = "maskfeat"  # MViT would read init_cfg by itself


def given_by_backbone_init_cfg_with_prefix(config, state, folder, name):
    file = "file://" + zoo.save(state, folder / "w.pth")
    config["backbone"]["init_cfg"] = [dict(type="mmengine.Pretrained", checkpoint=file, prefix="backbone.")]


def given_by_backbone_pretrained(config, state, folder, name):
    flat, wanted = zoo.published(name)
    config["backbone"] |= dict(pretrained=zoo.save(flat, folder / "w.pth"), pretrained2d=name in ("i3d", "swin"))
    if name not in ("i3d", "swin"):
        config["backbone"].pop("pretrained2d")
    return {f"backbone.{k}": v for k, v in wanted.items()}


def given_by_load_from(config, state, folder, name):
    donor = zoo.recognizer(name, classes=400, seed=2).state_dict()
    config["load_from"] = zoo.save(donor, folder / "w.pth")
    return {k: v for k, v in donor.items() if k.startswith("backbone.")}


WAYS = (
    given_by_model_init_cfg,
    given_by_model_init_cfg_as_file_url,
    given_by_backbone_init_cfg,
    given_by_backbone_init_cfg_with_prefix,
    given_by_backbone_pretrained,
    given_by_load_from,
)


class Clips(torch.utils.data.Dataset):
    METAINFO = {}
    metainfo = {}

    def __len__(self):
        return 1

    def __getitem__(self, i):
        return {}


def runner_of(config: dict, folder: Path, **more) -> Runner:
    """A Runner that would train a network; the step itself has no part in starting weights."""
    config = copy.deepcopy(config)
    load_from = config.pop("load_from", None)
    return Runner(
        model=config,
        work_dir=str(folder / "work"),
        train_dataloader=torch.utils.data.DataLoader(Clips()),
        train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=0),
        optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.1)),
        load_from=load_from,
        custom_hooks=[dict(type="StartingWeightsHook")],
        default_scope="mmaction",
        experiment_name=str(folder).replace("/", "-"),
        log_level="ERROR",
        **more,
    )


def trained(config, folder, **more):
    torch.manual_seed(5)
    runner = runner_of(config, folder, **more)
    runner.train()
    hook = next(h for h in runner.hooks if type(h).__name__ == "StartingWeightsHook")
    return runner.model, hook.reports(runner)


@pytest.mark.parametrize("way", WAYS, ids=lambda f: f.__name__.removeprefix("given_by_"))
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_starts_from_the_weights_that_it_is_given(name, way, tmp_path):
    config = copy.deepcopy(zoo.RECOGNIZERS[name])
    state = zoo.recognizer(name, seed=2).state_dict()
    wanted = way(config, state, tmp_path, name) or {
        k: v for k, v in state.items() if k.startswith("backbone.") or "backbone" not in way.__name__
    }
    model, reports = trained(config, tmp_path)
    own = model.state_dict()
    for key, value in wanted.items():
        torch.testing.assert_close(own[key].float(), value.float(), msg=lambda m, key=key: f"{key}: {m}")
    (report,) = reports
    assert report["file"] == ("a b.pth" if "file_url" in way.__name__ else "w.pth") and len(report["sha256"]) == 64
    assert report["backbone_loaded"] >= 0.9 * report["backbone_total"] > 0
    if way is given_by_load_from:
        assert len(report["left_out"]) == 2 and all("cls_head" in line for line in report["left_out"])
        scratch = zoo.recognizer(name, seed=5).state_dict()
        assert all(own[k].shape == scratch[k].shape for k in scratch)


def test_what_published_files_lack_or_have_in_another_shape_is_said(tmp_path):
    reports = {}
    for name in ("c3d", "mvit", "timesformer"):
        donor = zoo.recognizer(name, seed=2, **zoo.CLIPS_OF_THE_ZOO[name]).state_dict()
        config = {**copy.deepcopy(zoo.RECOGNIZERS[name]), "load_from": zoo.save(donor, tmp_path / f"{name}.pth")}
        model, (reports[name],) = trained(config, tmp_path / name)
        own = model.state_dict()
        if name == "mvit":  # 4 steps in time become 8: linear, ends kept at half a step
            a, b = donor["backbone.blocks.0.attn.rel_pos_t"], own["backbone.blocks.0.attn.rel_pos_t"]
            assert (len(a), len(b)) == (7, 15)
            positions = (np.arange(15) + 0.5) * 7 / 15 - 0.5
            for channel in range(a.shape[1]):
                np.testing.assert_allclose(b[:, channel], np.interp(positions, np.arange(7), a[:, channel]), atol=1e-5)
        if name == "timesformer":
            torch.testing.assert_close(
                own["backbone.time_embed"], donor["backbone.time_embed"].repeat_interleave(2, dim=1)
            )
    assert [line.split(":")[0] for line in reports["c3d"]["left_out"]] == ["backbone.fc6.weight", "backbone.fc6.bias"]
    assert len(reports["mvit"]["adapted"]) == 4 and reports["timesformer"]["adapted"][0].startswith(
        "backbone.time_embed"
    )


WRONG = {
    "of another width": (
        lambda: zoo.recognizer("i3d", seed=2, base_channels=8).state_dict(),
        r"first of another shape: backbone.conv1.conv.weight: \[8, 3, .* there, \[4, 3, .* here",
    ),
    "of another network": (
        lambda: zoo.recognizer("tsn", seed=2).state_dict() | {"x": torch.zeros(1)},
        r"",
    ),
    "of other names": (
        lambda: {f"features.{i}.weight": torch.zeros(i + 1) for i in range(60)},
        r"nothing in it fits; the network's first that is not in the file is 'backbone.conv1.conv.weight', "
        r"the file's first without a place is 'features.0.weight'",
    ),
    "of half a backbone": (
        lambda: {k: v for k, v in zoo.recognizer("i3d", seed=2).state_dict().items() if "layer4" not in k},
        r"\d+ of \d+ tensors of the backbone fit \(\d\d % of at least 90\); "
        r".* is 'backbone.layer4.0.conv1.conv.weight'",
    ),
}


@pytest.mark.parametrize("given", ["init_cfg", "pretrained", "load_from"])
@pytest.mark.parametrize("kind", [k for k in WRONG if WRONG[k][1]])
def test_too_little_of_a_file_is_an_error_that_names_both_sides(kind, given, tmp_path):
    make, message = WRONG[kind]
    file = zoo.save(make(), tmp_path / "w.pth")
    config = copy.deepcopy(zoo.RECOGNIZERS["i3d"])
    if given == "init_cfg":
        config["init_cfg"] = dict(type="Pretrained", checkpoint=file)
    elif given == "load_from":
        config["load_from"] = file
    else:
        config["backbone"] |= dict(pretrained=file, pretrained2d=False)
        message = message.replace("backbone.conv1", "conv1").replace("backbone.layer4", "layer4")
    with pytest.raises(ValueError, match=message):
        trained(config, tmp_path)


ZOO = {  # what the published networks have otherwise than those of the paper's protocol; how many tensors are left out
    "c3d": (dict(out_dim=8192), 2),
    "i3d": ({}, 0),
    "mvit": (dict(temporal_size=16), 0),
    "swin": ({}, 0),
    "timesformer": (dict(num_frames=8), 0),
    "tsn": ({}, 0),
}


@pytest.mark.parametrize("name", sorted(ZOO))
def test_published_files_fit_at_full_size(name):
    """Networks at the paper's size and files of the model zoo's, by names and shapes: no memory, no numbers."""
    # the harness is used for its reading of configs only
    from harness.plan.resolve import resolve

    changes, left_out = ZOO[name]
    (path,) = [p for p in CONFIGS.glob(f"{name}/*_mgr-dark-rgb.py")]
    model = resolve(path, "paper").config["model"]
    init_default_scope("mmaction")
    with torch.device("cpu" if name == "swin" else "meta"):  # Swin reads numbers while it is built
        ours = MODELS.build(copy.deepcopy(model))
        theirs = copy.deepcopy(model)
        theirs["cls_head"]["num_classes"] = 400
        theirs["backbone"].update(changes)
        given = MODELS.build(theirs).state_dict()
    report = LoadReport("backbone", "file", "")
    found = fit(ours.backbone, given, report)
    assert len(report.left_out) == left_out and not report.missing
    assert report.loaded == report.total - left_out and report.naming == "prefix 'backbone.' taken off"
    assert all(found[k].shape == v.shape for k, v in ours.backbone.state_dict().items() if k in found)
    adapted = {"mvit": 16, "timesformer": 1}.get(name, 0)  # one a block; the frames' embedding
    assert len(report.adapted) == adapted


def test_a_2d_resnet_is_inflated_whatever_its_names(tmp_path):
    """A whole TSN for I3D: 2D kernels become 3D ones whose sum over time is the 2D kernel."""
    donor = zoo.recognizer("tsn", classes=400, seed=2).state_dict()
    config = {**copy.deepcopy(zoo.RECOGNIZERS["i3d"]), "load_from": zoo.save(donor, tmp_path / "tsn.pth")}
    model, (report,) = trained(config, tmp_path)
    torch.testing.assert_close(model.backbone.conv1.conv.weight.sum(2), donor["backbone.conv1.conv.weight"])
    assert sum("inflated" in line for line in report["adapted"]) == 20


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("name", "donor"), [("tsn", "tsn"), ("i3d", "i3d"), ("i3d", "tsn"), ("swin", "swin")])
def test_a_stem_for_rgb_becomes_one_for_depth_or_flow(name, donor, channels, tmp_path):
    """Grey pictures give what they give in three equal channels, up to a third; the record says what was done."""
    state = zoo.recognizer(donor, seed=2).state_dict()
    config = copy.deepcopy(zoo.RECOGNIZERS[name])
    config["backbone"]["in_channels"] = channels
    config["init_cfg"] = dict(type="Pretrained", checkpoint=zoo.save(state, tmp_path / "w.pth"))
    model, (report,) = trained(config, tmp_path)
    key = "backbone.patch_embed.proj.weight" if name == "swin" else "backbone.conv1.conv.weight"
    rgb, own = state[key], model.state_dict()[key]
    if rgb.ndim < own.ndim:
        own = own.sum(dim=2)  # inflated: the sum over time is the 2D kernel
    expected = (rgb[:, 0] + rgb[:, 1] + rgb[:, 2])[:, None] / 3 if channels == 1 else 1.5 * rgb[:, :2]
    torch.testing.assert_close(own, expected)
    words = {1: "mean over three input channels", 2: "first two of three input channels, times 1.5"}[channels]
    assert [line.split(":")[0] for line in report["adapted"] if words in line] == [key]
    assert not report["left_out"] and not report["missing"]


@pytest.mark.parametrize("donor", NETWORKS)
@pytest.mark.parametrize("name", NETWORKS)
def test_weights_of_another_method_are_one_line(name, donor):
    """Whatever network they are of; a 2D ResNet is what an inflated one starts from."""
    if name == donor or (name, donor) == ("i3d", "tsn"):
        return
    given = zoo.recognizer(donor, seed=2).state_dict()
    with pytest.raises(ValueError, match=r"^starting weights w\.pth of the model: ") as e:
        fit(zoo.recognizer(name), given, LoadReport("", "w.pth", ""))
    assert "\n" not in str(e.value) and ("without a place is" in str(e.value) or "another shape" in str(e.value))


@pytest.mark.parametrize("given", ["whole", "prefix"])
def test_a_whole_network_takes_what_fits_of_a_file(given, tmp_path):
    """With ``prefix``, MMEngine's part of the file; without, all but a class layer of another size,
    as ``load_from`` does.
    """
    donor = zoo.recognizer("i3d", classes=400, seed=2).state_dict()
    start = dict(type="Pretrained", checkpoint=zoo.save(donor, tmp_path / "w.pth"))
    if given == "prefix":
        start["prefix"] = "backbone."
    model, (report,) = trained({**copy.deepcopy(zoo.RECOGNIZERS["i3d"]), "init_cfg": start}, tmp_path)
    own = model.state_dict()
    assert all(torch.equal(own[k], v) for k, v in donor.items() if k.startswith("backbone."))
    assert report["backbone_loaded"] == report["backbone_total"] > 0
    assert len(report["missing" if given == "prefix" else "left_out"]) == 2  # the class layer
    with pytest.raises(ValueError, match="it lacks .* test it with the config"):  # a test still takes all or nothing
        model.load_state_dict({k: v for k, v in donor.items() if "cls_head" not in k}, strict=False)


@pytest.mark.parametrize("given", ["init_cfg", "pretrained", "load_from"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_in_a_file_is_named(value, given, tmp_path):
    state = zoo.recognizer("i3d", seed=2).state_dict()
    state["backbone.conv1.conv.weight"][0, 0, 0, 0, 0] = value
    file = zoo.save(state, tmp_path / "w.pth")
    config = copy.deepcopy(zoo.RECOGNIZERS["i3d"])
    if given == "load_from":
        config["load_from"] = file
    elif given == "init_cfg":
        config["init_cfg"] = dict(type="Pretrained", checkpoint=file)
    else:
        config["backbone"] |= dict(pretrained=file, pretrained2d=False)
    words = r"w\.pth of .*: 1 of \d+ tensors hold NaN or infinite values, "
    words += r"first '(backbone\.)?conv1.conv.weight'; .* another file"
    with pytest.raises(ValueError, match=words):
        trained(config, tmp_path)
    with pytest.raises(
        ValueError, match="the checkpoint cannot be used: 1 of"
    ):  # tools/test.py, which would print chance
        zoo.recognizer("i3d").load_state_dict(state)
    state["backbone.conv1.conv.weight"] = torch.zeros_like(state["backbone.conv1.conv.weight"])
    masked = zoo.recognizer("i3d")
    masked.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
    masked.load_state_dict({**state, "mask": masked.mask})  # infinite by design


def test_missing_cut_short_and_foreign_files(tmp_path):
    config = copy.deepcopy(zoo.RECOGNIZERS["i3d"])

    def start(file):
        model = {**config, "init_cfg": dict(type="Pretrained", checkpoint=str(file))}
        return zoo.init(model)

    with pytest.raises(FileNotFoundError, match=r"gone\.pth do not exist; fix the path"):
        start(tmp_path / "gone.pth")
    whole = Path(zoo.save(zoo.recognizer("i3d", seed=2).state_dict(), tmp_path / "w.pth"))
    cut = tmp_path / "cut.pth"
    cut.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(
        ValueError, match=r"cut\.pth \(\d+ bytes\) is not a readable checkpoint: copy or download it again"
    ):
        start(cut)
    (tmp_path / "empty.pth").touch()
    with pytest.raises(ValueError, match="0 bytes"):
        start(tmp_path / "empty.pth")
    torch.save([1], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="holds a list, not a checkpoint"):
        start(tmp_path / "list.pth")
    torch.save({"epoch": 1}, tmp_path / "none.pth")
    with pytest.raises(ValueError, match="holds no weights; its entries are epoch"):
        start(tmp_path / "none.pth")
    with pytest.raises(ValueError, match=r"'torchvision://' is not supported"):
        start("torchvision://resnet50")
    with pytest.raises(ValueError, match="takes checkpoint and prefix, not chekpoint"):
        zoo.init({**config, "init_cfg": dict(type="Pretrained", chekpoint=str(whole))})
    with pytest.raises(ValueError, match="nothing in it begins with 'student.'; its first is 'backbone"):
        zoo.init({**config, "init_cfg": dict(type="Pretrained", checkpoint=str(whole), prefix="student")})


def boom():
    Path("boom").touch()


class Boom:
    def __init__(self, call=boom, *arguments):
        self.call = call, arguments

    def __reduce__(self):
        return self.call


def test_what_a_file_holds_beside_weights_is_never_run(tmp_path, monkeypatch):
    """As MMEngine writes them: logged numbers and numpy values beside the weights; and a file that would do harm."""
    monkeypatch.chdir(tmp_path)
    state = zoo.recognizer("i3d", seed=2).state_dict()
    hub = dict(log_scalars={"train/loss": HistoryBuffer([1.0], [1])}, runtime_info={"best": np.float64(1.0)})
    torch.save({"meta": {"epoch": 1}, "state_dict": state, "message_hub": hub, "evil": Boom()}, "w.pth")
    model = zoo.init({**copy.deepcopy(zoo.RECOGNIZERS["i3d"]), "init_cfg": dict(type="Pretrained", checkpoint="w.pth")})
    assert torch.equal(model.backbone.conv1.conv.weight, state["backbone.conv1.conv.weight"])
    assert not Path("boom").exists() and len(start_reports(model)) == 1
    torch.save(state, "old.pth", _use_new_zipfile_serialization=False)  # as files of 2020 are
    old = zoo.init({**copy.deepcopy(zoo.RECOGNIZERS["i3d"]), "init_cfg": dict(type="Pretrained", checkpoint="old.pth")})
    assert torch.equal(old.backbone.conv1.conv.weight, state["backbone.conv1.conv.weight"])
    torch.save({"state_dict": {"backbone.conv1.conv.weight": Boom()}}, "evil.pth")
    with pytest.raises(ValueError, match="nothing in it fits|no weights"):
        zoo.init({**copy.deepcopy(zoo.RECOGNIZERS["i3d"]), "init_cfg": dict(type="Pretrained", checkpoint="evil.pth")})
    torch.save({"state_dict": state, "evil": Boom(Path.touch, Path("boom"))}, "method.pth")
    with pytest.raises(ValueError, match="method.pth .* is not a readable checkpoint: .* save its state_dict alone"):
        zoo.init(
            {**copy.deepcopy(zoo.RECOGNIZERS["i3d"]), "init_cfg": dict(type="Pretrained", checkpoint="method.pth")}
        )
    assert not Path("boom").exists()


def test_other_initialisation_than_weights_counts_or_is_refused():
    swin = copy.deepcopy(zoo.RECOGNIZERS["swin"])
    swin["backbone"]["init_cfg"] = [dict(type="Constant", layer="Linear", val=0.25)]
    assert (zoo.init(swin).backbone.layers[0].blocks[0].mlp.fc1.weight == 0.25).all()
    i3d = copy.deepcopy(zoo.RECOGNIZERS["i3d"])
    i3d["backbone"]["init_cfg"] = [dict(type="Constant", layer="Conv3d", val=0.25)]
    with pytest.raises(ValueError, match="ResNet3d ignores init_cfg: Constant would have no effect"):
        zoo.init(i3d)


def test_a_resumed_training_keeps_its_report_and_its_weights(tmp_path):
    file = zoo.save(zoo.recognizer("i3d", classes=400, seed=2).state_dict(), tmp_path / "w.pth")
    config = {**copy.deepcopy(zoo.RECOGNIZERS["i3d"]), "load_from": file}
    runner = runner_of(config, tmp_path)
    runner.train()
    with torch.no_grad():
        runner.model.backbone.conv1.conv.weight.fill_(7.0)
    runner.save_checkpoint(str(tmp_path), "last.pth")
    config["load_from"] = str(tmp_path / "last.pth")
    Path(file).unlink()
    model, (report,) = trained(config, tmp_path, resume=True)
    assert (model.backbone.conv1.conv.weight == 7.0).all()
    assert report["file"] == "w.pth" and report["left_out"]


def test_a_config_is_not_changed_by_building(tmp_path):
    file = zoo.save(zoo.recognizer("i3d", seed=2).state_dict(), tmp_path / "w.pth")
    config = Config(dict(model=zoo.RECOGNIZERS["i3d"] | dict(init_cfg=dict(type="Pretrained", checkpoint=file))))
    before = copy.deepcopy(config.model)
    zoo.init(config.model)
    assert config.model == before
