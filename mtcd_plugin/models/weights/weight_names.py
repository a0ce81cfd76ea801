"""How names and shapes of published weights become those of MMAction2's networks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

NOT_WEIGHTS = re.compile(r"(^|\.)(num_batches_tracked|relative_position_index|attn_mask)$")  # counted nowhere


@dataclass(frozen=True)
class Naming:
    """One way of naming weights.

    Attributes:
        title: how a report calls it.
        rename: state of a file -> the same with MMAction2's names.
        new: weights that a network has and files of this kind never have.
    """

    title: str
    rename: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    new: re.Pattern[str] | None = None


def _from_torchvision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``layer1.0.conv1.weight``, ``layer1.0.bn1.weight``, ``layer1.0.downsample.0.weight`` to MMCV's ConvModule."""
    rules = (
        (re.compile(r"(^|\.)downsample\.0\."), r"\1downsample.conv."),
        (re.compile(r"(^|\.)downsample\.1\."), r"\1downsample.bn."),
        (re.compile(r"(^|\.)conv(\d)\.(weight|bias)$"), r"\1conv\2.conv.\3"),
        (re.compile(r"(^|\.)bn(\d)\."), r"\1conv\2.bn."),
    )
    return _renamed(state, rules)


def _from_torchvision_video(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``stem.0.weight``, ``layer1.0.conv1.0.weight``, ``layer1.0.conv1.1.weight``, ``layer2.0.downsample.0.weight``."""
    rules = (
        (re.compile(r"^stem\.([01])\."), r"conv1.\1."),
        (re.compile(r"(^|\.)(conv\d|downsample)\.0\."), r"\1\2.conv."),
        (re.compile(r"(^|\.)(conv\d|downsample)\.1\."), r"\1\2.bn."),
    )
    return _renamed(state, rules)


def _from_vgg(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``classifier.0`` and ``classifier.3`` are fc6, which PreRNN makes recurrent, and fc7."""
    rules = (
        (re.compile(r"(^|\.)classifier\.0\."), r"\1fc6.linear."),
        (re.compile(r"(^|\.)classifier\.3\."), r"\1fc7.0."),
    )
    return _renamed(state, rules)


def _renamed(
    state: Mapping[str, Tensor], rules: Iterable[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]]
) -> dict[str, Tensor]:
    """A state with every rule applied to every name, in order."""
    renamed = {}
    for name, value in state.items():
        for pattern, replacement in rules:
            name = pattern.sub(replacement, name)
        renamed[name] = value
    return renamed


def _from_swin_2d(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The norm after the last stage is called ``norm`` in 2D and ``norm<stage>`` in 3D."""
    stages = [int(m[1]) for m in (re.match(r"layers\.(\d+)\.", name) for name in state) if m]
    last = f"norm{max(stages, default=0)}."
    return {re.sub(r"^norm\.", last, name): value for name, value in state.items()}


def _from_vit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A ViT has one attention a layer; divided attention takes it for both, in space and in time, as MMAction2 does."""
    renamed = {}
    for name, value in state.items():
        name = name.replace("norms.0", "attentions.0.norm").replace("norms.1", "ffns.0.norm")
        renamed[name] = value
        if "attentions.0" in name:
            renamed[name.replace("attentions.0", "attentions.1")] = value
    return renamed


def _from_kinetics_i3d(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``conv3d_1a_7x7.conv3d.weight``, ``mixed_3b.branch_1.0.batch3d.bias`` (kinetics_i3d_pytorch) to ours."""
    renamed = {}
    for name, value in state.items():
        name = name.replace("conv3d_1a_7x7.", "conv1.").replace("conv3d_2b_1x1.", "conv2b.")
        name = name.replace("conv3d_2c_3x3.", "conv2c.").replace("mixed_", "inception_")
        name = re.sub(r"\.branch_(\d)\.", lambda m: f".branch{int(m[1]) + 1}.", name)
        renamed[name.replace(".conv3d.", ".conv.").replace(".batch3d.", ".bn.")] = value
    return renamed


def _from_mmpose_mtut(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``backbone.rgb.mixed_3b.branch_1.0.batch3d.bias``, ``cls_head.output_conv.rgb.weight`` (mmpose 0.x) to the
    streams of MTUT. The class layer is a 1x1x1 convolution there.
    """
    rules = (
        (re.compile(r"^backbone\.(\w+)\.(?=conv\w+\.|inception_)"), r"streams.\1.backbone."),
        (re.compile(r"^cls_head\.output_conv\.(\w+)\."), r"streams.\1.cls_head.fc_cls."),
    )
    renamed = _renamed(_from_kinetics_i3d(state), rules)
    return {name: value.flatten(1) if name.endswith(".fc_cls.weight") else value for name, value in renamed.items()}


def _from_3dcdc(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``stem0_8``, ``cells8_RGB.0._ops``, ``lateral32_16_1``, ``cells_Low_Connect``, ``classifier`` (3DCDC-NAS) to
    AutoGesture's and its class layer's.
    """
    laterals = {"32_16": 0, "32_8": 1, "16": 2}
    places = {"Low": 0, "Mid": 1, "High": 2}
    rules: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
        (re.compile(r"^(stem\d)_(\d+)(_RGB|_Depth)?\."), r"branches.\3\2.\1."),
        (re.compile(r"^cells(\d+)(_RGB|_Depth)?\.(\d+)\.(?:_(?=ops))?"), r"branches.\2\1.cells.\3."),
        (re.compile(r"^branches\._(RGB|Depth)"), lambda m: f"branches.{m[1].lower()}"),
        (re.compile(r"^lateral([\d_]+)_(\d)\."), lambda m: f"connections.{int(m[2]) - 1}.{laterals[m[1]]}."),
        (re.compile(r"^cells_(\w+?)_Connect\.(\d+)\.op\."), lambda m: f"connections.{places[m[1]]}.{m[2]}."),
        (re.compile(r"\.op\.1\.(?:conv\.)?"), ".conv."),
        (re.compile(r"\.op\.2\."), ".bn."),
        (re.compile(r"^classifier\."), "cls_head.fc_cls."),
    )
    return _renamed(state, rules)


def _from_gesture_transformer(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``self_attention.encoder.0.attention.fc_q``, ``.fc.0``, ``.layer_norm``, ``classifier`` to ours (Transformer, 3DV
    2020).
    """
    rules = [(re.compile(r"^self_attention\.encoder\.(\d+)\.(?:attention\.)?"), r"cls_head.layers.\1.")]
    parts = {"fc_q": "query", "fc_k": "key", "fc_v": "value", "fc_o": "project", r"fc\.0": "expand", r"fc\.3": "reduce"}
    parts["layer_norm"] = "norm"
    rules += [(re.compile(rf"^(cls_head\.layers\.\d+)\.{there}\."), rf"\1.{here}.") for there, here in parts.items()]
    return _renamed(state, [*rules, (re.compile(r"^classifier\."), "cls_head.fc_cls.")])


MOTION_LAYER = {  # a transformer's layer in MotionRGBD and in MotionRGBD-PAMI, as patterns, and here
    r"0\.norm": "norm1",
    r"0\.fn\.to_qkv": "qkv",
    r"0\.fn\.to_out\.0": "projection.0",
    r"1\.norm": "norm2",
    r"1\.fn\.fc1": "mlp.0",
    r"1\.fn\.fc2": "mlp.3",
}


def _inception_rules(parts: str) -> list[tuple[str, str]]:
    """Units of an Inception block of both, in ``parts`` of a network here."""
    units = {"b0": "1", "b1a": "2.0", "b1b": "2.1", "b2a": "3.0", "b2b": "3.1", "b3b": "4.1"}
    rules = [(rf"^((?:{parts}).*inception\w*)\.{there}\.", rf"\1.branch{here}.") for there, here in units.items()]
    return [*rules, (rf"^((?:{parts})\..*)\.conv3d\.", r"\1.conv.")]


def _from_motion_rgbd(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``Conv3d_1a_7x7``, ``Mixed_3b.b1a``, ``dtn.rcm.q``, ``dtn.multi_scale_transformers.0.transformer_enc_small``
    (Decouple & Recouple of one modality) to ours. Inceptions of later layers, which its code never runs, keep theirs.
    """
    stem = {"1a_7x7": "conv1", "2b_1x1": "conv2b", "2c_3x3": "conv2c"}
    gates = {r"project\.": "time_gate.", r"q\.": "query.", r"k\.": "key.", r"linear\.": "vector."}
    rules = [(rf"^Conv3d_{there}\.", f"spatial.stem.{here}.") for there, here in stem.items()]
    rules += [(r"^Mixed_(\d[a-z])\.", r"spatial.blocks.inception_\1."), (r"^LinearMap\.", "spatial.linear.")]
    rules += [(r"^frp_module\.rpconv1d\.", "spatial.guidance.")]
    rules += [(rf"^dtn\.rcm\.{there}", f"recoupling.{here}") for there, here in gates.items()]
    for i, size in enumerate(("small", "media", "large")):
        rules += [(rf"^dtn\.cls_token_{size}$", f"branches.{i}.token")]
        rules += [(rf"^dtn\.pos_embedding_{size}$", f"branches.{i}.positions")]
        rules += [(rf"^dtn\.mlp_head_{size}\.", f"cls_head.fc_cls.{i}.")]
        rules += [(rf"^dtn\.multi_scale_transformers\.0\.Mixed_{size}\.", f"branches.{i}.inception.")]
        deep = rf"^dtn\.multi_scale_transformers\.(\d+)\.transformer_enc_{size}\.layers\.0\."
        rules += [(f"{deep}{there}\\.", rf"branches.{i}.layers.\1.{here}.") for there, here in MOTION_LAYER.items()]
    rules += _inception_rules("spatial|branches")
    renamed = _renamed(state, [(re.compile(pattern), to) for pattern, to in rules])
    return {name: value.flatten() if name == "spatial.guidance.weight" else value for name, value in renamed.items()}


def _from_motion_rgbd_pami(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``stem.0.conv3d``, ``SMS_layers.0.Mixed1.b1a``, ``SMS_layers.1.TM_project``, ``dtn.multi_scale_transformers.0.2``
    (UMDR of one modality) to ours.
    """
    rules = [(rf"^stem\.{i}\.", f"stem.{name}.") for i, name in ((0, "conv1"), (2, "conv2b"), (3, "conv2c"))]
    gates = {"q": "query", "k": "key", "TM_project": "gate", "linear": "vector"}
    for stage, (layers, gate) in enumerate(((0, 1), (2, 3), (4, 6))):  # behind the last layers is a pooling
        for i, block in enumerate("bc", start=1):
            rules += [(rf"^SMS_layers\.{layers}\.Mixed{i}\.", f"stages.{stage}.layers.inception_{stage + 3}{block}.")]
        rules += [(rf"^SMS_layers\.{gate}\.{a}\.", f"stages.{stage}.recoupling.{b}.") for a, b in gates.items()]
    rules += [(rf"^LinearMap\.{i + 1}\.", f"linear.{i}.") for i in (0, 1)]  # its first is a dropout
    rules += [(r"^dtn\.cls_tokens\.(\d)\.cls_token$", r"branches.\1.token")]
    rules += [(r"^dtn\.cls_tokens\.(\d)\.pos_embedding$", r"branches.\1.positions")]
    branch = r"^dtn\.multi_scale_transformers\.(\d)\."
    rules += [(rf"{branch}0\.", r"branches.\1.inception.")]
    deep = rf"{branch}2\.layers\.(\d+)\."
    rules += [(rf"{deep}{there}\.", rf"branches.\1.layers.\2.{here}.") for there, here in MOTION_LAYER.items()]
    rules += [(rf"{branch}3\.{there}\.", rf"cls_head.fc_cls.\1.{here}.") for there, here in ((0, 0), (2, 1))]
    rules += _inception_rules("stem|stages|branches")
    return _renamed(state, [(re.compile(pattern), to) for pattern, to in rules])


def _whole_from_motion_rgbd(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of MotionRGBD's backbone and class layers as those of a whole recognizer."""
    return _whole(_from_motion_rgbd(state))


def _whole_from_motion_rgbd_pami(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of MotionRGBD-PAMI's backbone and class layers as those of a whole recognizer."""
    return _whole(_from_motion_rgbd_pami(state))


def _whole_from_3dcdc(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same of 3DCDC-NAS."""
    return _whole(_from_3dcdc(state))


def _whole(renamed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name if name.startswith("cls_head.") else f"backbone.{name}": value for name, value in renamed.items()}


NAMINGS = (
    Naming("", dict),
    Naming("torchvision's names", _from_torchvision),
    Naming(
        "torchvision's names of a video ResNet",
        _from_torchvision_video,
        new=re.compile(r"(^|\.)layer1\.0\.downsample\."),
    ),
    Naming("torchvision's names of a VGG", _from_vgg, new=re.compile(r"(^|\.)fc6\.hidden\.")),
    Naming("names of a 2D Swin Transformer", _from_swin_2d),
    Naming("names of kinetics_i3d_pytorch", _from_kinetics_i3d),
    Naming("names of mmpose's MTUT", _from_mmpose_mtut),
    Naming("names of 3DCDC-NAS", _whole_from_3dcdc),
    Naming("names of 3DCDC-NAS", _from_3dcdc),
    Naming("names of TransformerBasedGestureRecognition", _from_gesture_transformer),
    Naming("names of MotionRGBD", _from_motion_rgbd),
    Naming("names of MotionRGBD", _whole_from_motion_rgbd),
    Naming("names of MotionRGBD-PAMI", _from_motion_rgbd_pami),
    Naming("names of MotionRGBD-PAMI", _whole_from_motion_rgbd_pami),
    Naming("names of a ViT", _from_vit, new=re.compile(r"(^|\.)(time_embed$|temporal_fc\.)")),
)


STEMS: dict[int, tuple[str, Callable[[Tensor], Tensor]]] = {  # channels of a first layer -> what three become
    1: ("mean over three input channels", lambda x: x.mean(dim=1, keepdim=True)),
    2: ("first two of three input channels, times 1.5", lambda x: x[:, :2] * 1.5),
}


def adaptation(name: str, given: torch.Size, own: torch.Size) -> tuple[str, Callable[[Tensor], Tensor]] | None:
    """What makes a weight of one shape one of another, in words ("" for nothing) and as a function;
    None if nothing does.

    - A first layer of three channels becomes one of a single channel by its mean over them, and one of two (flow) by
    the first two times 1.5, as Transformer (3DV 2020) does. One of a single channel, for three that are equal, is
    repeated and divided by three: the sum is the same.
    - 2D kernels for a 3D network are repeated in time and divided by the kernel's length (I3D, arXiv 1705.07750).
    - Kernels of a stem for RGB, for a stem of other channels, are averaged over RGB and repeated (TSN's cross-modality
    start of the flow network, arXiv 1608.00859).
    - MViT's relative positions of another clip or image size are interpolated linearly, as MMAction2 does for
    MaskFeat's.
    - TimeSformer's embedding of another number of frames takes the nearest frame, as its authors do.
    - Swin's table of relative positions of a 2D window is repeated for every distance in time (arXiv 2106.13230).
    """
    a, b = tuple(given), tuple(own)
    if a == b:
        return "", lambda x: x
    last = name.rpartition(".")[2]
    if len(a) in (4, 5) and len(b) in (4, 5) and a[1] == 3 and b[1] in STEMS:
        words, stem = STEMS[b[1]]
        rest = adaptation(name, torch.Size((a[0], b[1], *a[2:])), own)
        return rest and (f"{words}, {rest[0]}" if rest[0] else words, lambda x: rest[1](stem(x)))
    if len(a) == len(b) and len(b) in (4, 5) and (a[1], b[1]) == (1, 3) and a[:1] + a[2:] == b[:1] + b[2:]:
        return "divided among three equal channels", lambda x: x.expand(b) / 3
    if len(a) == 4 and len(b) == 5 and a == b[:2] + b[3:]:
        return "inflated from 2D", lambda x: x.unsqueeze(2).expand(b) / b[2]
    if len(a) == len(b) == 4 and a[1] == 3 and a[:1] + a[2:] == b[:1] + b[2:]:
        return "averaged over RGB and repeated", lambda x: x.mean(dim=1, keepdim=True).expand(b)
    if last in ("rel_pos_t", "rel_pos_h", "rel_pos_w") and len(a) == len(b) == 2 and a[1] == b[1]:
        return "relative positions interpolated", lambda x: _resized(x.T[None], b[0], "linear")[0].T
    if last == "time_embed" and len(a) == len(b) == 3 and a[2] == b[2]:
        return "time steps interpolated", lambda x: _resized(x.transpose(1, 2), b[1], "nearest").transpose(1, 2)
    if last == "relative_position_bias_table" and a[1:] == b[1:] and b[0] % a[0] == 0:
        return "window repeated in time", lambda x: x.repeat(b[0] // a[0], 1)
    return None


def _resized(x: Tensor, size: int, mode: str) -> Tensor:
    return F.interpolate(x.float(), size=size, mode=mode)


def not_finite(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """Which weights of a file for a network are NaN or infinite, "" for none.

    What is so by design (a mask) is no fault.
    """
    bad = [n for n in own if n in given and not _is_finite(given[n]) and _is_finite(own[n])]
    return f"{len(bad)} of {len(own)} tensors hold NaN or infinite values, first '{bad[0]}'" if bad else ""


def _is_finite(value: Tensor) -> bool:
    return not value.is_floating_point() or bool(torch.isfinite(value).all())


def shape_of(value: Tensor) -> str:
    return "[" + ", ".join(map(str, value.shape)) + "]"
