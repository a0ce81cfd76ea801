"""Inception-I3D and its blocks, against counts made by hand and a plain NumPy reference."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
import itertools
import math

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from mtcd_plugin.models.backbones.inception_blocks import WIDTHS, ConvUnit, Inception, SameMaxPool, same_padding
from mtcd_plugin.models.backbones.inception_i3d import InceptionI3D
from mtcd_plugin.models.weights.init_cfg import start_reports
from mtcd_plugin.models.weights.starting_weights import LoadReport, fit

torch.set_num_threads(1)


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 7])
def test_same_padding_gives_as_many_positions_as_strides_begin(kernel, stride):
    for size in range(1, 20):
        before, after = same_padding(size, kernel, stride)
        assert (size + before + after - kernel) // stride + 1 == math.ceil(size / stride)
        assert before <= after <= before + 1
        needed = (math.ceil(size / stride) - 1) * stride + kernel - size
        assert before + after == max(needed, 0)


def test_same_padding_of_the_cases_that_the_network_has():
    assert [same_padding(32, 7, 2), same_padding(32, 3, 2), same_padding(8, 2, 2)] == [(2, 3), (0, 1), (0, 0)]
    assert [same_padding(9, 3, 1), same_padding(9, 4, 1), same_padding(9, 7, 2)] == [(1, 1), (1, 2), (3, 3)]


def windows(x, kernel, stride):
    """Every SAME window of ``[C, T, H, W]`` by its output position, padded with zeros."""
    sizes = x.shape[1:]
    out = [math.ceil(n / s) for n, s in zip(sizes, stride, strict=True)]
    total = [max((o - 1) * s + k - n, 0) for o, s, k, n in zip(out, stride, kernel, sizes, strict=True)]
    padded = np.pad(x, [(0, 0)] + [(p // 2, p - p // 2) for p in total])
    for at in itertools.product(*map(range, out)):
        where = tuple(slice(i * s, i * s + k) for i, s, k in zip(at, stride, kernel, strict=True))
        yield at, padded[(slice(None), *where)]


@pytest.mark.parametrize("size", [(4, 6, 6), (5, 7, 6), (3, 5, 9)])
@pytest.mark.parametrize(("kernel", "stride"), [((7, 7, 7), (2, 2, 2)), ((1, 3, 3), (1, 2, 2)), ((2, 2, 2), (2, 2, 2))])
def test_unit_and_pooling_are_those_of_the_reference(size, kernel, stride):
    torch.manual_seed(0)
    unit, pool = ConvUnit(2, 3, kernel, stride).eval(), SameMaxPool(kernel, stride)
    unit.bn.running_mean.uniform_(-1, 1), unit.bn.running_var.uniform_(0.5, 2)
    x = torch.randn(1, 2, *size)
    with torch.no_grad():
        conv, pooled = unit(x)[0].numpy(), pool(x)[0].numpy()
    weight = unit.conv.weight.detach().numpy()
    mean, var = unit.bn.running_mean.numpy()[:, None], unit.bn.running_var.numpy()[:, None]
    found = list(windows(x[0].numpy(), kernel, stride))
    assert conv.shape[1:] == pooled.shape[1:] == tuple(math.ceil(n / s) for n, s in zip(size, stride, strict=True))
    for (t, h, w), window in found:
        np.testing.assert_allclose(pooled[:, t, h, w], window.max(axis=(1, 2, 3)))
        value = np.tensordot(weight, window, 4)[:, None]
        expected = np.maximum((value - mean) / np.sqrt(var + 1e-3), 0)[:, 0]
        np.testing.assert_allclose(conv[:, t, h, w], expected, atol=1e-5)


# In, out, and in * (a + b1 + c1 + d) + taps * (b1 * b2 + c1 * c2) + 2 * all six of a row, 27 or 9 taps.
BLOCKS = {
    "3b": (192, 256, 386_272, 155_872),
    "3c": (256, 480, 837_888, 340_224),
    "4b": (480, 512, 737_760, 364_512),
    "4c": (512, 512, 904_464, 425_232),
    "4d": (512, 512, 1_103_664, 486_192),
    "4e": (512, 528, 1_356_672, 573_312),
    "4f": (528, 832, 1_799_168, 803_840),
    "5b": (832, 832, 1_974_272, 978_944),
    "5c": (832, 1024, 2_784_736, 1_347_040),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_have_the_parameters_counted_by_hand(name):
    before, after, cubic, flat = BLOCKS[name]
    block = Inception(before, WIDTHS[name])
    assert (count(block), block.out_channels) == (cubic, after)
    assert count(Inception(before, WIDTHS[name], kernel=(1, 3, 3))) == flat


def test_a_block_of_other_inputs_and_kernels():
    """Decouple & Recouple's 5b takes 512 channels; its block over time is 4c with 3x1x1."""
    assert count(Inception(512, WIDTHS["5b"], kernel=(1, 3, 3))) == 794_624
    block = Inception(512, WIDTHS["4c"], kernel=(3, 1, 1), pool_kernel=(3, 1, 1))
    assert count(block) == 265_488 and block.branch4[0].kernel == (3, 1, 1)
    with torch.no_grad():
        assert block(torch.randn(1, 512, 5, 1, 1)).shape == (1, 512, 5, 1, 1)


def test_branches_are_concatenated_in_the_order_of_the_table():
    block = Inception(3, (1, 2, 3, 4, 5, 6)).eval()
    x = torch.randn(1, 3, 4, 5, 6)
    places = {"branch1": range(1), "branch2": range(1, 4), "branch3": range(4, 9), "branch4": range(9, 15)}
    for kept, channels in places.items():
        only = copy.deepcopy(block)
        for name, branch in only.named_children():
            last = branch if isinstance(branch, ConvUnit) else branch[-1]
            torch.nn.init.zeros_(last.bn.weight)
            torch.nn.init.constant_(last.bn.bias, float(name == kept))
        with torch.no_grad():
            alive = only(x)[0].amax((1, 2, 3)) > 0
        assert alive.nonzero().flatten().tolist() == list(channels)


def test_the_network_at_full_size():
    with torch.device("meta"):
        colour, grey = InceptionI3D(), InceptionI3D(in_channels=1)
        x = torch.empty(1, 3, 64, 224, 224)
        with FlopCounterMode(display=False) as counter:
            out = colour.eval()(x)
    assert (count(colour), count(grey)) == (12_287_264, 12_243_360)
    parts = [count(m) for m in colour.children() if count(m)]
    assert parts == [65_984, 4_224, 332_160, *(b[2] for b in BLOCKS.values())]
    assert out.shape == (1, 1024, 8, 7, 7) and colour.feat_dim == 1024
    # counted of the Kinetics conversion with its class layer: 400 classes at 7 times
    assert counter.get_total_flops() // 2 == 111_153_143_808 - 7 * 1024 * 400


def test_parameters_are_registered_in_the_order_of_the_table():
    with torch.device("meta"):
        names = [n.rpartition(".conv.")[0] for n, _ in InceptionI3D().named_parameters() if ".conv." in n]
    inside = ["branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1"]
    assert names == ["conv1", "conv2b", "conv2c", *(f"inception_{b}.{i}" for b in BLOCKS for i in inside)]


# ---------------------------------------------------------------------- mmpose's paddings and eps


def by_pytorchs_own_layers(state, x):
    """mmpose's network from a state with our names: paddings on both sides, which PyTorch's layers have themselves."""

    def unit(x, name, stride=1, padding=0):
        x = torch.nn.functional.conv3d(x, state[f"{name}.conv.weight"], stride=stride, padding=padding)
        norm = [state[f"{name}.bn.{n}"][:, None, None, None] for n in ("running_mean", "running_var", "weight", "bias")]
        return ((x - norm[0]) / (norm[1] + 1e-5).sqrt() * norm[2] + norm[3]).relu()

    def pool(x, kernel, stride, padding):
        return torch.nn.functional.max_pool3d(x, kernel, stride, padding)

    x = pool(unit(x, "conv1", 2, (2, 3, 3)), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    x = pool(unit(unit(x, "conv2b"), "conv2c", 1, 1), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    frames = [x.shape[2]]
    for name in BLOCKS:
        if name in ("4b", "5b"):
            x = pool(x, 3, 2, 1) if name == "4b" else pool(x, 2, 2, 0)
            frames.append(x.shape[2])
        at = f"inception_{name}.branch"
        pairs = [unit(unit(x, f"{at}{i}.0"), f"{at}{i}.1", 1, 1) for i in (2, 3)]
        x = torch.cat([unit(x, f"{at}1"), *pairs, unit(pool(x, 3, 1, 1), f"{at}4.1")], dim=1)
    return x, frames


@pytest.mark.parametrize("size", [(64, 32, 32), (17, 41, 36)])
def test_mmposes_conversion_is_that_of_pytorchs_own_layers(size):
    torch.manual_seed(0)
    network = InceptionI3D(base_channels=4, conversion="mmpose").double().eval()
    for name, value in network.state_dict().items():
        if "running" in name:
            value.uniform_(0.001, 0.1)  # small variances, so that eps counts
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        expected, frames = by_pytorchs_own_layers(network.state_dict(), x)
        torch.testing.assert_close(network(x), expected)
    assert frames == ([31, 16, 8] if size[0] == 64 else [8, 4, 2])


def test_mmposes_conversion_has_the_published_cost():
    for channels, macs in ((3, 108_312_723_456), (1, 91_240_038_400)):
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            out = InceptionI3D(in_channels=channels, conversion="mmpose").eval()(torch.empty(1, channels, 64, 224, 224))
        assert out.shape == (1, 1024, 8, 7, 7)
        assert counter.get_total_flops() // 2 == macs, channels


def test_an_unknown_conversion_is_one_line():
    with pytest.raises(ValueError, match="conversion 'caffe' is unknown; choose from kinetics, mmpose"):
        InceptionI3D(conversion="caffe")


@pytest.mark.parametrize(
    ("base", "stride", "size", "shape"),
    [(16, 1, (16, 56, 56), (256, 4, 2, 2)), (4, 2, (16, 32, 32), (64, 2, 1, 1)), (4, 2, (5, 7, 9), (64, 1, 1, 1))],
)
def test_demo_smoke_and_odd_sizes(base, stride, size, shape):
    network = InceptionI3D(base_channels=base, conv1_stride_t=stride).eval()
    x = torch.randn(2, 3, *size)
    with torch.no_grad():
        out, alone = network(x), network(x[1:])
    assert out.shape == (2, *shape) and network.feat_dim == shape[0]
    torch.testing.assert_close(out[1:], alone, atol=1e-5, rtol=1e-4)


# ---------------------------------------------------------------------- starting weights


def kinetics_names(state):
    """A state with the names of kinetics_i3d_pytorch, written out from that code's own modules."""
    stems = {"conv1": "conv3d_1a_7x7", "conv2b": "conv3d_2b_1x1", "conv2c": "conv3d_2c_3x3"}
    parts = {"conv": "conv3d", "bn": "batch3d"}
    branches = {"branch1": "branch_0", "branch2": "branch_1", "branch3": "branch_2", "branch4": "branch_3"}
    named = {}
    for name, value in state.items():
        first, *rest = name.split(".")
        first = stems.get(first) or first.replace("inception_", "mixed_")
        named[".".join([first, *(parts.get(r) or branches.get(r) or r for r in rest)])] = value
    return named


def recognizer(init_cfg=None, base_channels=4):
    init_default_scope("mmaction")
    backbone = dict(type="InceptionI3D", base_channels=base_channels, init_cfg=init_cfg)
    head = dict(type="I3DHead", num_classes=10, in_channels=16 * base_channels)
    return MODELS.build(dict(type="Recognizer3D", backbone=backbone, cls_head=head))


def kinetics_file(folder):
    torch.manual_seed(3)
    donor = InceptionI3D(base_channels=4)
    state = kinetics_names(donor.state_dict())
    state |= {
        "conv3d_0c_1x1.conv3d.weight": torch.randn(400, 64, 1, 1, 1),
        "conv3d_0c_1x1.conv3d.bias": torch.randn(400),
    }
    torch.save(state, folder / "model_rgb.pth")
    return donor, dict(type="Pretrained", checkpoint=str(folder / "model_rgb.pth"))


def test_it_starts_from_a_file_with_the_names_of_the_kinetics_weights(tmp_path):
    donor, init_cfg = kinetics_file(tmp_path)
    assert "mixed_4b.branch_3.1.batch3d.running_mean" in torch.load(init_cfg["checkpoint"], weights_only=True)
    model = recognizer(init_cfg)
    model.init_weights()
    for name, value in donor.state_dict().items():
        assert torch.equal(model.backbone.state_dict()[name], value), name
    (report,) = start_reports(model)
    assert report.where == "backbone" and report.naming == "names of kinetics_i3d_pytorch"
    assert report.loaded == report.total and [n.split(".")[0] for n in report.unexpected] == ["conv3d_0c_1x1"] * 2


def test_the_whole_recognizer_takes_them_as_well(tmp_path):
    donor, init_cfg = kinetics_file(tmp_path)
    report = LoadReport("", "f", "")
    found = fit(recognizer(), torch.load(init_cfg["checkpoint"], weights_only=True), report)
    assert torch.equal(found["backbone.inception_5c.branch2.1.conv.weight"], donor.inception_5c.branch2[1].conv.weight)
    assert report.backbone_loaded == report.backbone_total


def test_weights_of_another_method_or_width_are_one_line(tmp_path):
    _, init_cfg = kinetics_file(tmp_path)
    with pytest.raises(ValueError, match=r"model_rgb.pth of InceptionI3D: .*is it of another width or depth\?"):
        recognizer(init_cfg, base_channels=8).init_weights()
    torch.save(
        {"layer1.0.conv1.weight": torch.randn(4, 4, 3, 3), "conv1.weight": torch.randn(4, 3, 7, 7)}, tmp_path / "r.pth"
    )
    with pytest.raises(ValueError, match="r.pth of InceptionI3D"):
        recognizer({**init_cfg, "checkpoint": str(tmp_path / "r.pth")}).init_weights()


def test_the_momentum_of_norms_is_given_to_every_one():
    with torch.device("meta"):
        networks = InceptionI3D(base_channels=4), InceptionI3D(base_channels=4, norm_momentum=0.3)
    found = [{m.momentum for m in n.modules() if isinstance(m, torch.nn.BatchNorm3d)} for n in networks]
    assert found == [{0.01}, {0.3}]
