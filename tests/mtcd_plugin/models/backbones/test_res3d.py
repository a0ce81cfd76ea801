"""Res3D-18 against its published table of layers, and torchvision's weights of r3d_18 in it."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from harness.network.cost import count_cost
from harness.plan.resolve import resolve
from mtcd_plugin.models.backbones.res3d import Res3D18
from mtcd_plugin.models.weights.starting_weights import LoadReport, fit, load_weights

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "resc3d"
STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # channels; stride of the first unit


def recognizer(profile="paper", name="resc3d_nvgesture-rgb", **head):
    init_default_scope("mmaction")
    model = copy.deepcopy(resolve(CONFIGS / f"{name}.py", profile).config["model"])
    model["cls_head"].update(head)
    return MODELS.build(model)


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_parameters_at_full_size():
    with torch.device("meta"):
        assert parameters(recognizer()) == 33_221_721
        assert parameters(Res3D18()) == 33_170_496
        assert parameters(recognizer(in_channels=512 * 2)) == 33_196_121, "16 frames"


@pytest.mark.slow
def test_multiply_adds_and_a_forward_at_full_size():
    with torch.device("meta"):
        model = recognizer(name="resc3d_nvgesture-depth")  # Retinex multiplies as well
    model.to("meta")  # where clips go, too
    assert count_cost(model, (3, 32, 112, 112)).flops == 81_803_790_336
    clip = {"inputs": [torch.randint(0, 256, (1, 3, 32, 224, 224), dtype=torch.uint8)]}
    model.eval()
    with torch.no_grad():
        feature = model(**model.data_preprocessor(clip, False))
    assert feature.shape == (1, 512, 4, 1, 1)


def test_weights_come_in_the_order_of_the_network():
    """Stem, then unit by unit both convolutions and the shortcut, each with its norm: weights go by position."""
    with torch.device("meta"):
        names = [n for n, _ in Res3D18().named_parameters()]
    expected = ["conv1"]
    for stage in range(1, 5):
        for unit, layers in ((0, ("conv1", "conv2", "downsample")), (1, ("conv1", "conv2"))):
            expected += [f"layer{stage}.{unit}.{layer}" for layer in layers]
    assert names == [f"{layer}.{x}" for layer in expected for x in ("conv.weight", "bn.weight", "bn.bias")]


def reference(state, x, width):
    """The published table of layers, with PyTorch's functions."""

    def layer(x, name, stride, padding):
        x = F.conv3d(x, state[f"{name}.conv.weight"], stride=stride, padding=padding)
        norm = [state[f"{name}.bn.{k}"] for k in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *norm, eps=1e-5)

    x = F.relu(layer(x, "conv1", (1, 2, 2), (1, 3, 3)))
    shapes = [tuple(x.shape[1:])]
    for i, (channels, stride) in enumerate(STAGES):
        assert state[f"layer{i + 1}.0.conv1.conv.weight"].shape[0] == channels * width // 64
        for unit in (0, 1):
            name, step = f"layer{i + 1}.{unit}", stride if unit == 0 else 1
            shortcut = layer(x, f"{name}.downsample", step, 0) if unit == 0 else x
            x = F.relu(layer(x, f"{name}.conv1", step, 1))
            x = F.relu(layer(x, f"{name}.conv2", 1, 1) + shortcut)
        shapes.append(tuple(x.shape[1:]))
    return x.mean((3, 4)), shapes


def disturbed(network, seed=0):
    """The network with norms that do something, in evaluation."""
    torch.manual_seed(seed)
    for name, value in network.state_dict().items():
        if "bn" in name and value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5)
    network.eval()  # ResNet3d's returns nothing
    return network


@pytest.mark.parametrize("size", [(16, 56, 56), (16, 32, 32), (8, 33, 47)])
def test_it_computes_the_published_table(size):
    network = disturbed(Res3D18(base_channels=4))
    x = torch.randn(1, 3, *size)
    with torch.no_grad():
        expected, _ = reference(network.state_dict(), x, 4)
        out = network(x)
    assert out.shape == (1, 32, size[0] // 8, 1, 1)
    torch.testing.assert_close(out.flatten(2), expected, rtol=1e-4, atol=1e-5)


def test_maps_have_the_published_sizes():
    with torch.device("meta"):
        network = Res3D18()
        _, shapes = reference(network.state_dict(), torch.empty(1, 3, 32, 112, 112), 64)
        assert network(torch.empty(1, 3, 32, 112, 112)).shape == (1, 512, 4, 1, 1)
    assert shapes == [(64, 32, 56, 56), (64, 32, 56, 56), (128, 16, 28, 28), (256, 8, 14, 14), (512, 4, 7, 7)]


@pytest.mark.parametrize("profile", ["smoke", "demo"])
def test_the_head_sees_every_step_in_time_channel_by_channel(profile):
    """A linear layer of the flattened map, in which time is the last axis."""
    model = disturbed(recognizer(profile))
    x = torch.randn(1, 3, 16, *(2 * [56 if profile == "demo" else 32]))
    with torch.no_grad():
        feature = model.backbone(x)
        scores = model.cls_head(feature)
    weight = model.cls_head.fc_cls.weight.view(25, -1, 2)
    expected = torch.einsum("kct,ct->k", weight, feature[0, :, :, 0, 0]) + model.cls_head.fc_cls.bias
    torch.testing.assert_close(scores[0], expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(model.cls_head(feature.flip(2)), scores), "time counts"


# ------------------------------------------------------------------ torchvision's r3d_18


def published(kernel=(3, 3, 3), width=64, device="meta"):
    """A file with the names and shapes of torchvision's r3d_18 and its kin, whose first unit has no convolution in its
    shortcut and whose class layer sees 512 features.
    """
    state = {}

    def norm(name, channels):
        for key in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{key}"] = torch.rand(channels, device=device) + 0.5
        state[f"{name}.num_batches_tracked"] = torch.tensor(7, device=device)

    def conv(name, *shape):
        state[f"{name}.0.weight"] = torch.randn(*shape, device=device)
        norm(f"{name}.1", shape[0])

    conv("stem", width, 3, 3, 7, 7)
    before = width
    for i, (channels, _) in enumerate(STAGES):
        channels = channels * width // 64
        for unit in (0, 1):
            conv(f"layer{i + 1}.{unit}.conv1", channels, before, *(kernel if i else (3, 3, 3)))
            conv(f"layer{i + 1}.{unit}.conv2", channels, channels, *(kernel if i else (3, 3, 3)))
            if unit == 0 and i:
                conv(f"layer{i + 1}.0.downsample", channels, before, 1, 1, 1)
            before = channels
    state["fc.weight"] = torch.randn(400, before, device=device)
    state["fc.bias"] = torch.randn(400, device=device)
    return state


def test_the_published_file_has_torchvisions_number_of_weights():
    """33,371,472 of r3d_18 with its 400 classes: the made file is no invention."""
    state = published()
    count = sum(v.numel() for k, v in state.items() if not re.search("running|tracked", k))
    assert count == 33_371_472
    assert count - 400 * 513 == 33_166_272 == 33_170_496 - 4_224


@pytest.mark.parametrize("whole", [True, False])
def test_all_of_it_fits_but_what_differs(whole):
    with torch.device("meta"):
        network = recognizer() if whole else Res3D18()
    report = LoadReport("", "file", "")
    fit(network, published(), report)
    prefix = "backbone." if whole else ""
    assert "torchvision's names of a video ResNet" in report.naming and not report.left_out and not report.adapted
    assert report.backbone_loaded == report.backbone_total == 100
    assert [n for n in report.missing if "cls_head" not in n] == [
        f"{prefix}layer1.0.downsample.{x}"
        for x in ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
    ]
    assert report.unexpected == [f"{prefix}fc.weight", f"{prefix}fc.bias"]


def test_loaded_weights_compute_what_torchvisions_network_does(tmp_path):
    """With a shortcut that does nothing, the network is torchvision's: the same function of the file's weights."""
    state = published(width=4, device="cpu")
    torch.save(state, tmp_path / "r3d_18.pth")
    network = Res3D18(base_channels=4)
    network.eval()
    load_weights(network, str(tmp_path / "r3d_18.pth"))
    shortcut = network.layer1[0].downsample
    with torch.no_grad():
        shortcut.conv.weight.copy_(torch.eye(4).view(4, 4, 1, 1, 1))
        shortcut.bn.running_var.fill_(1 - shortcut.bn.eps)
        x = torch.randn(1, 3, 8, 32, 32)
        out = network(x).flatten(2)

        def layer(x, name, stride, padding):
            x = F.conv3d(x, state[f"{name}.0.weight"], stride=stride, padding=padding)
            norm = [state[f"{name}.1.{k}"] for k in ("running_mean", "running_var", "weight", "bias")]
            return F.batch_norm(x, *norm)

        x = F.relu(layer(x, "stem", (1, 2, 2), (1, 3, 3)))
        for i, (_, stride) in enumerate(STAGES):
            for unit in (0, 1):
                name, step = f"layer{i + 1}.{unit}", stride if unit == 0 else 1
                shortcut = layer(x, f"{name}.downsample", step, 0) if unit == 0 and i else x
                x = F.relu(layer(F.relu(layer(x, f"{name}.conv1", step, 1)), f"{name}.conv2", 1, 1) + shortcut)
    torch.testing.assert_close(out, x.mean((3, 4)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (lambda: published(kernel=(1, 3, 3)), "of the backbone fit .* layer2.0.conv1.conv.weight: .* there"),
        (lambda: published(width=32), r"conv1.conv.weight: \[32, 3, 3, 7, 7\] there, \[64, 3, 3, 7, 7\] here"),
        (lambda: {k: v for k, v in published().items() if "layer4" not in k}, r"75 of 100 tensors of the backbone fit"),
        (lambda: {f"features.{k}": v for k, v in published().items()}, "nothing in it fits"),
    ],
    ids=["mc3_18", "half as wide", "cut short", "other names"],
)
def test_another_networks_file_is_refused(state, words):
    with torch.device("meta"):
        network = Res3D18()
    with pytest.raises(ValueError, match=words):
        fit(network, state(), LoadReport("model.backbone", "file", ""))
