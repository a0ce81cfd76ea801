"""Files with the names that authors' code gives its weights: every weight finds its place here."""

import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from harness.plan.resolve import resolve
from mtcd_plugin.models.weights.starting_weights import LoadReport, fit
from tests.mm_configs.test_mtcd_configs import config_of

BRANCHES = ("small", "media", "large")
UNITS = {"1": "b0", "2.0": "b1a", "2.1": "b1b", "3.0": "b2a", "3.1": "b2b", "4.1": "b3b"}


def network(name: str, frames: int = 0, seed: int = 0):
    """A network of the smoke profile, with other numbers in every weight."""
    config = resolve(config_of(name), "smoke").config["model"]
    if frames:
        config["backbone"]["frames"] = frames
    init_default_scope("mmaction")
    torch.manual_seed(seed)
    model = MODELS.build(config)
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value))
    return model


def motion_rgbd(name: str) -> str:
    """A weight's name in damo-cv/MotionRGBD (DSNNet)."""
    name = name.removeprefix("backbone.")
    for here, there in {"conv1": "1a_7x7", "conv2b": "2b_1x1", "conv2c": "2c_3x3"}.items():
        name = name.replace(f"spatial.stem.{here}.", f"Conv3d_{there}.")
    name = name.replace("spatial.linear.", "LinearMap.").replace("spatial.guidance.", "frp_module.rpconv1d.")
    name = name.replace("recoupling.time_gate.", "dtn.rcm.project.").replace("recoupling.vector.", "dtn.rcm.linear.")
    name = name.replace("recoupling.query.", "dtn.rcm.q.").replace("recoupling.key.", "dtn.rcm.k.")
    inception = re.fullmatch(r"(.*inception\w*)\.branch([\d.]+)\.(conv|bn)\.(\w+)", name)
    if inception:
        where, unit, part, last = inception.groups()
        where = re.sub(r"spatial\.blocks\.inception_", "Mixed_", where)
        for i, size in enumerate(BRANCHES):
            where = where.replace(f"branches.{i}.inception", f"dtn.multi_scale_transformers.0.Mixed_{size}")
        name = f"{where}.{UNITS[unit]}.{part}.{last}"
    for i, size in enumerate(BRANCHES):
        name = name.replace(f"branches.{i}.token", f"dtn.cls_token_{size}")
        name = name.replace(f"branches.{i}.positions", f"dtn.pos_embedding_{size}")
        name = name.replace(f"cls_head.fc_cls.{i}.", f"dtn.mlp_head_{size}.")
        layer = re.fullmatch(rf"branches\.{i}\.layers\.(\d)\.(.*)\.(weight|bias)", name)
        if layer:
            parts = {"norm1": "0.norm", "qkv": "0.fn.to_qkv", "projection.0": "0.fn.to_out.0", "norm2": "1.norm"}
            part = {**parts, "mlp.0": "1.fn.fc1", "mlp.3": "1.fn.fc2"}[layer[2]]
            name = f"dtn.multi_scale_transformers.{layer[1]}.transformer_enc_{size}.layers.0.{part}.{layer[3]}"
    return re.sub(r"\.conv\.", ".conv3d.", name)


def motion_rgbd_pami(name: str) -> str:
    """A weight's name in zhoubenjia/MotionRGBD-PAMI (DSNNetV2), as its module lists count: poolings and dropout too."""
    first, *rest = name.removeprefix("backbone.").split(".")
    if first == "cls_head":
        _, branch, layer, last = rest
        return f"dtn.multi_scale_transformers.{branch}.3.{(0, 2)[int(layer)]}.{last}"
    if first == "stem":
        return ".".join(["stem", {"conv1": "0", "conv2b": "2", "conv2c": "3"}[rest[0]], *rest[1:]]).replace(
            "conv.", "conv3d."
        )
    if first == "linear":
        return f"LinearMap.{int(rest[0]) + 1}.{rest[1]}"
    number, part, *rest = rest
    if part == "recoupling":
        layer = {"query": "q", "key": "k", "gate": "TM_project", "vector": "linear"}[rest[0]]
        return ".".join(["SMS_layers", ("1", "3", "6")[int(number)], layer, *rest[1:]])
    if part in ("token", "positions"):
        return f"dtn.cls_tokens.{number}." + {"token": "cls_token", "positions": "pos_embedding"}[part]
    if rest[0].startswith("inception") or part == "inception":
        where, *unit = rest if part != "inception" else ("", *rest)
        before = f"SMS_layers.{2 * int(number)}.Mixed{'bc'.index(where[-1]) + 1}" if where else ""
        unit, kind, last = re.fullmatch(r"branch([\d.]+)\.(conv|bn)\.(\w+)", ".".join(unit)).groups()
        before = before or f"dtn.multi_scale_transformers.{number}.0"
        return f"{before}.{UNITS[unit]}.{kind.replace('conv', 'conv3d')}.{last}"
    parts = {"norm1": "0.norm", "qkv": "0.fn.to_qkv", "projection.0": "0.fn.to_out.0", "norm2": "1.norm"}
    layer = {**parts, "mlp.0": "1.fn.fc1", "mlp.3": "1.fn.fc2"}[".".join(rest[1:-1])]
    return f"dtn.multi_scale_transformers.{number}.2.layers.{rest[0]}.{layer}.{rest[-1]}"


def gesture_transformer(name: str) -> str:
    """A weight's name in aimagelab/TransformerBasedGestureRecognition, saved from several GPUs."""
    for here, there in {"query": "fc_q", "key": "fc_k", "value": "fc_v", "project": "fc_o"}.items():
        name = re.sub(rf"^cls_head\.layers\.(\d)\.{here}\.", rf"self_attention.encoder.\1.attention.{there}.", name)
    for here, there in {"expand": "fc.0", "reduce": "fc.3", "norm": "layer_norm"}.items():
        name = re.sub(rf"^cls_head\.layers\.(\d)\.{here}\.", rf"self_attention.encoder.\1.{there}.", name)
    return "module." + name.replace("cls_head.fc_cls.", "classifier.")


AUTHORS = {
    "decouple_recouple_nvgesture-rgb": motion_rgbd,
    "umdr_nvgesture-rgb": motion_rgbd_pami,
    "transformer_nvgesture-rgb": gesture_transformer,
    "transformer_nvgesture-depth": gesture_transformer,
}


def published(model, rename) -> dict[str, torch.Tensor]:
    state = {rename(k): v for k, v in model.state_dict().items() if k != "cls_head.tau"}
    assert len(state) == len([k for k in model.state_dict() if k != "cls_head.tau"])
    return {k: v.reshape(1, 2, 1) if k.endswith("rpconv1d.weight") else v for k, v in state.items()}


@pytest.mark.parametrize("name", AUTHORS)
def test_every_weight_finds_its_place(name):
    donor, own = network(name, seed=1), network(name, seed=2)
    given = published(donor, AUTHORS[name])
    if "decouple" in name:  # later layers have Inceptions as well, which the authors' code never runs
        given["dtn.multi_scale_transformers.1.Mixed_small.b0.conv3d.weight"] = torch.zeros(1)
    report = LoadReport("", "w.pth", "")
    found = fit(own, given, report)
    wanted = donor.state_dict()
    assert set(found) == {k for k in wanted if k != "cls_head.tau"}
    assert all(torch.equal(found[k], wanted[k]) for k in found)
    assert not report.left_out and "names of" in report.naming
    assert [k.rpartition(".Mixed")[0] for k in report.unexpected] == (
        ["backbone.dtn.multi_scale_transformers.1"] if "decouple" in name else []
    )


def test_a_backbone_alone_and_another_number_of_frames():
    donor, own = network("decouple_recouple_nvgesture-rgb", 16), network("decouple_recouple_nvgesture-rgb", 8)
    report = LoadReport("backbone", "w.pth", "")
    found = fit(own.backbone, published(donor, motion_rgbd), report)
    assert {line.partition(":")[0] for line in report.left_out} == {
        *(f"branches.{i}.positions" for i in range(3)),
        *(f"recoupling.{n}" for n in ("time_gate.0.weight", "query.weight", "key.weight")),
        *(f"recoupling.time_gate.{n}" for n in ("2.weight", "3.weight", "3.bias")),
        *(f"recoupling.vector.{n}" for n in ("weight", "bias")),
    }
    assert report.backbone_loaded >= 0.9 * report.backbone_total and found


def mmpose(name: str) -> str:
    """A weight's name in mmpose 0.x (GestureRecognizer with I3D and MultiModalSSAHead)."""
    modality, part, rest = re.fullmatch(r"streams\.(\w+?)\.(backbone|cls_head)\.(.*)", name).groups()
    if part == "cls_head":
        return rest.replace("fc_cls.", f"cls_head.output_conv.{modality}.")
    for here, there in {"conv1": "conv3d_1a_7x7", "conv2b": "conv3d_2b_1x1", "conv2c": "conv3d_2c_3x3"}.items():
        rest = re.sub(rf"^{here}\.", f"{there}.", rest)
    rest = re.sub(r"\.branch(\d)\.", lambda m: f".branch_{int(m[1]) - 1}.", rest.replace("inception_", "mixed_"))
    return f"backbone.{modality}." + rest.replace(".conv.", ".conv3d.").replace(".bn.", ".batch3d.")


def test_mmposes_file_gives_the_same_logits():
    """Its depth has one channel; three equal ones of a third each are the same sum."""
    donor, own = network("mtut_nvgesture-rgb-depth", seed=1), network("mtut_nvgesture-rgb-depth", seed=2)
    given = {mmpose(name): value for name, value in donor.state_dict().items()}
    for name in ("cls_head.output_conv.rgb.weight", "cls_head.output_conv.depth.weight"):
        given[name] = given[name][..., None, None, None]
    stem = given["backbone.depth.conv3d_1a_7x7.conv3d.weight"]
    given["backbone.depth.conv3d_1a_7x7.conv3d.weight"] = stem.sum(dim=1, keepdim=True)
    report = LoadReport("", "w.pth", "")
    own.load_state_dict(fit(own, given, report))
    assert report.loaded == report.total and not report.left_out + report.missing + report.unexpected
    assert [line.partition(":")[0] for line in report.adapted] == ["streams.depth.backbone.conv1.conv.weight"]
    clip = torch.rand(1, 3, 16, 32, 32)
    clips = {"rgb": clip, "depth": clip.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1, -1)}
    with torch.no_grad():
        torch.testing.assert_close(own.eval().logits(clips), donor.eval().logits(clips))
