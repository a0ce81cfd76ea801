"""AutoGesture against published counts and against the tables of its layers, written with PyTorch's functions."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from harness.plan.resolve import resolve
from mtcd_plugin.models.backbones.auto_gesture import GENOTYPES, AutoGesture, Unconnected
from mtcd_plugin.models.backbones.central_difference import CentralDifferenceConv3d
from mtcd_plugin.models.weights.starting_weights import LoadReport, fit

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "nas"
PUBLISHED = {  # parameters with 25 classes, multiply-adds of 32 x 112 x 112
    ("rgb",): (126_397_753, 123_836_050_432),
    ("depth",): (93_223_481, 107_574_209_536),
    ("rgb", "depth"): (231_123_673, 238_540_871_680),
}


def recognizer(modality="rgb", profile="paper", data="nvgesture"):
    init_default_scope("mmaction")
    return MODELS.build(copy.deepcopy(resolve(CONFIGS / f"nas_{data}-{modality}.py", profile).config["model"]))


def clips(modalities, *size):
    found = {name: torch.randn(*size) for name in modalities}
    return found if len(found) > 1 else found[modalities[0]]


@pytest.mark.parametrize("modalities", PUBLISHED)
def test_parameters_at_full_size(modalities):
    with torch.device("meta"):
        model = recognizer("-".join(modalities))
    assert sum(p.numel() for p in model.parameters()) == PUBLISHED[modalities][0]


@pytest.mark.slow
@pytest.mark.parametrize("modalities", PUBLISHED)
def test_multiply_adds_at_full_size(modalities):
    """The authors' code makes two convolutions of each central difference, and one where nothing is passed on: those
    that are not made here are added.
    """
    saved = [25 * 1024 * 3 * len(modalities)]  # the class layer
    with torch.device("meta"):
        network = AutoGesture(modalities).eval()
        for module in network.modules():
            if isinstance(module, CentralDifferenceConv3d):
                module.register_forward_hook(lambda m, _, out: saved.append(m.in_channels * out.numel()))
            elif isinstance(module, Unconnected):
                module.register_forward_hook(lambda _, x, out: saved.append(x[0].numel() * out.shape[1]))
        with FlopCounterMode(display=False) as counter:
            out = network(clips(modalities, 1, 3, 32, 112, 112))
    assert out.shape == (1, 3072 * len(modalities), 1, 1, 1)
    assert counter.get_total_flops() // 2 + sum(saved) == PUBLISHED[modalities][1]


# ------------------------------------------------------------------ the tables of layers


ENDS = {  # what each branch concatenates before its own map, by the numbers of the connections
    "rgb32": (17,),
    "rgb16": (1, 14, 16),
    "rgb8": (0, 2, 12, 13, 15),
    "depth32": (11,),
    "depth16": (4, 8, 10),
    "depth8": (3, 5, 6, 7, 9),
}
STARTS = [
    f"{m}{rate}"
    for m, rate in zip(
        ["rgb"] * 3 + ["depth"] * 3 + ["rgb"] * 6 + ["depth"] * 6,
        [16, 32, 32, 16, 32, 32, 8, 16, 16, 32, 32, 32, 8, 16, 16, 32, 32, 32],
        strict=True,
    )
]
KINDS = (
    "TR 0 TR T T 0 0 c 0 c 0 0 T T T TR T TR",
    "T c 0 c T T T c TR c T TR T T T TR c TR",
    "T TR T TR TR T c 0 c c 0 TR TR 0 T T TR TR",
)


def norm(x, state, name):
    weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
    return F.batch_norm(x, state[f"{name}.running_mean"], state[f"{name}.running_var"], weight, bias, eps=1e-5)


def difference(x, weight, kind, stride=1):
    size, step = weight.shape[2], (stride, 1, 1)
    out = F.conv3d(x, weight, stride=step, padding=[k // 2 for k in weight.shape[2:]])
    outer = (weight.sum(2) - weight[:, :, size // 2]).sum((2, 3))[..., None, None, None]
    if kind == "TR":
        padded = F.pad(x, (0, 0, 0, 0, size // 2, size // 2))
        mean = sum(padded[:, :, i : i + x.shape[2]] for i in range(size)) / size
        return out - 0.3 * F.conv3d(mean[:, :, ::stride], outer)
    return out - 0.6 * F.conv3d(x, outer, stride=step)


def apply_unit(x, state, name, kind, stride=1):
    """An operation of a cell or a connection."""
    if kind == "id":
        return x
    weight, x = state[f"{name}.conv.weight"], F.relu(x)
    if kind in ("t3", "T3", "T"):
        return norm(difference(x, weight, "T", stride), state, f"{name}.bn")
    if kind in ("tr3", "TR3", "TR"):
        return norm(difference(x, weight, "TR", stride), state, f"{name}.bn")
    padding = [k // 2 for k in weight.shape[2:]]
    return norm(F.conv3d(x, weight, stride=(stride, 1, 1), padding=padding), state, f"{name}.bn")


def reference_cell(state, name, genotype, s0, s1, stride):
    nodes = [
        norm(
            F.conv3d(F.relu(s), state[f"{name}.preprocess{i}.conv.weight"], stride=step),
            state,
            f"{name}.preprocess{i}.bn",
        )
        for i, (s, step) in enumerate(((s0, (1, stride, stride)), (s1, 1)))
    ]
    steps = [step.rstrip(")").split("(") for node in genotype.split("|") for step in node.split()]
    for i in range(0, 8, 2):
        pair = [
            apply_unit(nodes[int(at)], state, f"{name}.ops.{i + j}", op) for j, (op, at) in enumerate(steps[i : i + 2])
        ]
        nodes.append(pair[0] + pair[1])
    return torch.cat(nodes[2:], dim=1)


def pool(x):
    return F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))


def branch(state, name):
    """Its name in the state, which leaves the modality out where there is one alone."""
    rate = name.lstrip("rgbdepth")
    return f"branches.{rate}" if f"branches.{rate}.stem0.0.weight" in state else f"branches.{name}"


def stems(state, clip, name):
    rate = int(name.lstrip("rgbdepth"))
    x = clip[:, :, :: 32 // rate]
    maps = []
    for i, reduce in enumerate((pool, lambda x: F.max_pool3d(x, 3, 2, 1))):
        at = f"{branch(state, name)}.stem{i}"
        x = reduce(F.relu(norm(F.conv3d(x, state[f"{at}.0.weight"], padding=1), state, f"{at}.1")))
        maps.append(x)
    return F.avg_pool3d(maps[0], 2, 2), maps[1]


def arriving(state, place, features, joint):
    """Branch -> what connections bring."""
    if joint:
        out = {}
        for target, numbers in ENDS.items():
            out[target] = []
            for n in numbers:
                stride = int(STARTS[n].lstrip("rgbdepth")) // int(target.lstrip("rgbdepth"))
                kind, name = KINDS[place].split()[n], f"connections.{place}.{n}"
                if kind == "0":
                    zeros = torch.zeros_like(features[STARTS[n]][:, :, ::stride])
                    out[target].append(zeros[:, : state[f"{name}.conv.weight"].shape[0]])
                else:
                    out[target].append(apply_unit(features[STARTS[n]], state, name, kind, stride))
        return out
    (m,) = {name.rstrip("0123456789") for name in features}

    def lateral(source, number, stride):
        at = f"connections.{place}.{number}"
        x = F.conv3d(features[f"{m}{source}"], state[f"{at}.0.weight"], stride=(stride, 1, 1), padding=(2, 0, 0))
        return norm(x, state, f"{at}.1")

    return {f"{m}32": [], f"{m}16": [lateral(32, 0, 2)], f"{m}8": [lateral(32, 1, 4), lateral(16, 2, 2)]}


def reference(state, inputs):
    """The network's output; ``inputs``: modality -> clip."""
    names = [f"{m}{rate}" for m in inputs for rate in (32, 16, 8)]
    s = {name: stems(state, inputs[name.rstrip("0123456789")], name) for name in names}
    for place, cells in enumerate((range(4), range(4, 9), range(9, 12))):
        brought = arriving(state, place, {name: s1 for name, (_, s1) in s.items()}, len(inputs) > 1)
        for name in names:
            s0, s1 = s[name][0], torch.cat([*brought[name], s[name][1]], dim=1)
            modality, rate = name.rstrip("0123456789"), int(name.lstrip("rgbdepth"))
            for i in cells:
                out = reference_cell(
                    state,
                    f"{branch(state, name)}.cells.{i}",
                    GENOTYPES[modality][rate],
                    s0,
                    s1,
                    2 if i in (4, 9) else 1,
                )
                s0, s1 = s1, out
            s[name] = (s0, pool(s1) if place < 2 else s1)
    return torch.cat([s[name][1].mean((2, 3, 4)) for name in names], dim=1)


def disturbed(network):
    """In evaluation, with norms that do something."""
    torch.manual_seed(0)
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "running_var", "bn.bias", "bn.weight")):
            value.copy_(torch.rand_like(value) + 0.5)
    return network.eval()


@pytest.mark.parametrize("size", [(16, 28, 28), (8, 20, 12)])
@pytest.mark.parametrize("modalities", PUBLISHED)
def test_it_computes_the_published_tables(modalities, size):
    network = disturbed(AutoGesture(modalities, base_channels=2).double())
    inputs = {name: torch.randn(1, 3, *size, dtype=torch.float64) for name in modalities}
    with torch.no_grad():
        out = network(inputs if len(modalities) > 1 else inputs[modalities[0]])
        expected = reference(network.state_dict(), inputs)
    assert out.shape == (1, network.feat_dim, 1, 1, 1)
    torch.testing.assert_close(out.flatten(1), expected, rtol=1e-6, atol=1e-8)


def test_fewer_cells_are_the_first_ones_of_each_place():
    full, fewer = AutoGesture(base_channels=1), AutoGesture(base_channels=1, cells=(2, 2, 1))
    kept = {k: v.shape for k, v in full.branches["8"].cells.state_dict().items() if k[:2] in ("0.", "1.")}
    own = {k: v.shape for k, v in fewer.branches["8"].cells.state_dict().items()}
    assert kept.items() <= own.items() and len(fewer.branches["8"].cells) == 5
    assert fewer(torch.randn(2, 3, 8, 16, 16)).shape == (2, full.feat_dim, 1, 1, 1)


def test_genotypes_are_those_of_the_paper():
    """Operations of each kind, counted in the published table."""
    counts = {}
    for modality, rates in GENOTYPES.items():
        for rate, text in rates.items():
            ops = [step.partition("(")[0] for step in text.replace("|", " ").split()]
            counts[modality, rate] = {op: ops.count(op) for op in sorted(set(ops))}
    assert counts == {
        ("rgb", 8): {"T3": 1, "id": 5, "t3": 2},
        ("rgb", 16): {"T3": 3, "TR3": 1, "id": 1, "t3": 3},
        ("rgb", 32): {"T3": 1, "TR3": 1, "id": 2, "s": 2, "t3": 2},
        ("depth", 8): {"id": 5, "s": 2, "t3": 1},
        ("depth", 16): {"T3": 1, "id": 1, "s": 3, "t3": 3},
        ("depth", 32): {"T3": 1, "TR3": 3, "t3": 2, "tr3": 2},
    }


def test_kernels_as_named_are_flat():
    """Operations and connections named 3x1x1 and 5x1x1 lose their extent in space, and nothing else changes."""
    with torch.device("meta"):
        cubic, named = (AutoGesture(("rgb", "depth"), kernels=k) for k in ("as_published", "as_named"))
    changed = {}
    for (name, a), (_, b) in zip(cubic.named_parameters(), named.named_parameters(), strict=True):
        if a.shape != b.shape:
            assert a.shape[:3] == b.shape[:3] and b.shape[3:] == (1, 1) and a.shape[2] == a.shape[3]
            changed[name.partition(".")[0]] = changed.get(name.partition(".")[0], 0) + 1
    small = sum(text.count("t3(") + text.count("tr3(") for rates in GENOTYPES.values() for text in rates.values())
    flat = sum(k.startswith("T") for row in KINDS for k in row.split())
    assert changed == {"branches": 12 * small, "connections": flat}
    x = {m: torch.randn(1, 3, 8, 12, 12) for m in ("rgb", "depth")}
    assert AutoGesture(("rgb", "depth"), 1, "as_named").eval()(x).shape == (1, 384, 1, 1, 1)


@pytest.mark.parametrize("size", [(12, 28, 28), (16, 30, 28), (16, 28, 30)])
def test_sizes_that_cannot_be_divided_are_one_line(size):
    with pytest.raises(ValueError, match=r"frames must be a multiple of 8, height and width of 4; set clip_len"):
        AutoGesture(base_channels=1)(torch.randn(1, 3, *size))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"modalities": ("ir",)}, r"modalities=\['ir'\] is unknown; choose from \[rgb\], \[depth\] and \[rgb, depth\]"),
        ({"cells": (4, 0, 3)}, r"cells=\[4, 0, 3\] must be three numbers of cells, each at least 1"),
        ({"kernels": "flat"}, "kernels='flat' is unknown; choose from as_published, as_named"),
    ],
)
def test_unknown_arguments_are_one_line(arguments, words):
    with pytest.raises(ValueError, match=words):
        AutoGesture(**arguments)


# ------------------------------------------------------------------ the authors' weights


def authors_names(state, joint):
    """A state with the names of 3DCDC-NAS, from the modules that its code makes."""
    lateral = ("lateral32_16", "lateral32_8", "lateral16")
    named = {}
    for name, value in state.items():
        kind, first, *rest = name.split(".")
        if kind == "connections":
            number, *rest = rest
            if joint:
                inner = {"conv": "op.op.1", "bn": "op.op.2"}[rest[0]]
                if KINDS[int(first)].split()[int(number)] == "0":
                    inner = "op.conv"
                elif rest[0] == "conv" and KINDS[int(first)].split()[int(number)] != "c":
                    inner += ".conv"
                place = ("Low", "Mid", "High")[int(first)]
                named[f"cells_{place}_Connect.{number}.{inner}.{rest[1]}"] = value
            else:
                named[f"{lateral[int(number)]}_{int(first) + 1}.{'.'.join(rest)}"] = value
            continue
        modality, rate = ("RGB", first[3:]) if first.startswith("rgb") else ("Depth", first[5:])
        after = f"{rate}_{modality}" if joint else first
        if rest[0].startswith("stem"):
            named[f"{rest[0]}_{after}.{'.'.join(rest[1:])}"] = value
            continue
        _, cell, *inside = rest
        if inside[0].startswith("preprocess"):
            part, layer, last = inside
            named[f"cells{after}.{cell}.{part}.op.{1 if layer == 'conv' else 2}.{last}"] = value
        else:
            _, number, layer, last = inside
            flat = value.ndim == 5 and value.shape[2] == 1
            inner = "2" if layer == "bn" else "1" if flat else "1.conv"
            named[f"cells{after}.{cell}._ops.{number}.op.{inner}.{last}"] = value
    return named


@pytest.mark.parametrize(("modality", "classes"), [("rgb", 249), ("depth", 25), ("rgb-depth", 25)])
def test_it_starts_from_a_file_with_the_authors_names(modality, classes):
    joint = modality == "rgb-depth"
    with torch.device("meta"):
        model, donor = recognizer(modality, "smoke"), AutoGesture(modality.split("-"), 1)
    state = donor.state_dict()
    given = authors_names(state, joint)
    example = "cells16_Depth.3._ops.0.op.1.conv.weight" if joint else "cells16.3.preprocess0.op.2.running_mean"
    assert example in given and len(given) == len(state)
    given = {f"module.{k}": v for k, v in given.items()}
    head = {"weight": torch.empty(classes, donor.feat_dim, device="meta"), "bias": torch.empty(classes, device="meta")}
    given |= {f"module.classifier.{name}": value for name, value in head.items()}
    report = LoadReport("", "file", "")
    found = fit(model, given, report)
    assert "names of 3DCDC-NAS" in report.naming and not report.unexpected
    assert report.backbone_loaded == report.backbone_total
    for name, value in state.items():
        assert found[f"backbone.{name}"] is value, name
    if classes == 25:
        assert all(found[f"cls_head.fc_cls.{name}"] is value for name, value in head.items()) and not report.left_out
    else:
        assert [line.partition(":")[0] for line in report.left_out] == [f"cls_head.fc_cls.{n}" for n in head]
    alone = fit(donor, given, LoadReport("backbone", "file", ""))
    assert all(alone[name] is value for name, value in state.items())


def test_the_weights_of_another_modality_are_one_line():
    with torch.device("meta"):
        given = authors_names(AutoGesture(("rgb",), 1).state_dict(), joint=False)
        with pytest.raises(ValueError, match="of the backbone fit"):
            fit(recognizer("depth", "smoke"), given, LoadReport("", "file", ""))


# ------------------------------------------------------------------ as configured


@pytest.mark.parametrize("modality", ["rgb", "depth", "rgb-depth"])
@pytest.mark.parametrize(("profile", "size"), [("smoke", 32), ("demo", 56)])
def test_a_step_of_training_changes_weights_and_one_clip_is_predicted(modality, profile, size):
    model = recognizer(modality, profile)
    model.init_weights()
    names = modality.split("-")

    def batch(n):
        inputs = {m: torch.randint(0, 256, (n, 1, 3 if m == "rgb" else 1, 16, size, size)).byte() for m in names}
        samples = [ActionDataSample().set_gt_label(i) for i in range(n)]
        return {"inputs": inputs if len(names) > 1 else inputs[names[0]], "data_samples": samples}

    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    assert math.isfinite(model.train_step(batch(2), optimizer)["loss"].detach())
    still = {name for name, p in model.named_parameters() if torch.equal(p, before[name])}
    idle = {
        f"backbone.connections.{i}.{n}.conv.weight"
        for i, row in enumerate(KINDS)
        for n, k in enumerate(row.split())
        if k == "0"
    }
    assert still == (idle if len(names) > 1 else set())
    (sample,) = model.eval().test_step(batch(1))
    assert sample.pred_score.shape == (25,) and abs(float(sample.pred_score.sum()) - 1) < 1e-5


@pytest.mark.parametrize("option", [dict(average_clips="score"), dict(loss_cls=dict(type="CrossEntropyLoss"))])
def test_an_option_of_the_head_without_effect_is_one_line(option):
    config = resolve(
        CONFIGS / "nas_nvgesture-rgb-depth.py", "smoke", {f"model.cls_head.{k}": v for k, v in option.items()}
    )
    with pytest.raises(ValueError, match=f"model.cls_head.{next(iter(option))} has no effect"):
        MODELS.build(config.config["model"])
