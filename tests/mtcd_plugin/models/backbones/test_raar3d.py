"""NI3D and RAAR3D against published counts, and against the tables of their layers written with PyTorch's functions."""

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
from mtcd_plugin.models.backbones.inception_blocks import same_padding
from mtcd_plugin.models.backbones.ni3d import GROUPS, NI3D
from mtcd_plugin.models.backbones.raar3d import RAAR3D, DynamicAttention, HeatMaps, StaticAttention, paired, rank_pool

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "raar3d"
HEAD = 25 * 1024


def recognizer(name="raar3d_nvgesture-depth", profile="smoke", **changes):
    init_default_scope("mmaction")
    model = copy.deepcopy(resolve(CONFIGS / f"{name}.py", profile).config["model"])
    return MODELS.build({**model, **changes})


@pytest.mark.parametrize(("name", "count"), [("ni3d", 11_514_969), ("raar3d", 11_517_397)])
def test_parameters_at_full_size(name, count):
    with torch.device("meta"):
        model = recognizer(f"{name}_nvgesture-rgb", "paper")
    assert sum(p.numel() for p in model.parameters()) == count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frames", "ni3d", "raar3d"), [(32, 39_836_784_128, 40_599_860_736), (64, 79_673_542_656, 81_199_695_872)]
)
def test_multiply_adds_at_full_size(frames, ni3d, raar3d):
    """The authors' code weighs p and q in convolutions of two channels, four multiply-adds a value of each input."""
    x = torch.empty(1, 3, frames, 224, 224, device="meta")
    for kind, expected in ((NI3D, ni3d), (RAAR3D, raar3d)):
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            out = kind().eval()(x)
        assert out.shape == (1, 1024, frames // 8, 7, 7)
        values = sum(c * frames // t * s * s for c, t, s in ((192, 2, 28), (256, 4, 14), (512, 8, 7)))
        assert counter.get_total_flops() // 2 + HEAD + 4 * values * (kind is RAAR3D) == expected


# ------------------------------------------------------------------ the tables of layers


def same(x, kernel, stride):
    pads = [same_padding(n, k, s) for n, k, s in zip(x.shape[2:], kernel, stride, strict=True)]
    return F.pad(x, [p for pair in reversed(pads) for p in pair])


def norm(x, state, name, eps=1e-5):
    values = (state[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, *values, eps=eps)


def unit(x, state, name, stride=(1, 1, 1), groups=1):
    weight = state[f"{name}.conv.weight"]
    x = F.conv3d(same(x, weight.shape[2:], stride), weight, stride=stride, groups=groups)
    return F.relu(norm(x, state, f"{name}.bn", eps=1e-3))


def apply_operation(op, x, state, name):
    if op == "id":
        return x
    if op[0] == "d" and op != "dil":
        return unit(x, state, name, groups=x.shape[1])
    x = F.relu(x)
    if op == "dil":
        x = F.conv3d(x, state[f"{name}.conv.0.weight"], padding=2, dilation=2)
        return norm(F.conv3d(x, state[f"{name}.conv.1.weight"]), state, f"{name}.bn")
    padding = (0, 1, 1) if op == "s" else (1, 0, 0)
    return norm(F.conv3d(x, state[f"{name}.conv.weight"], padding=padding), state, f"{name}.bn")


def reference_group(x, state, place, genotype, cells):
    s0 = s1 = x
    steps = [step.rstrip(")").split("(") for step in genotype.replace("|", " ").split()]
    for cell in range(cells):
        at = f"groups.{place}.{cell}"
        nodes = [
            norm(F.conv3d(F.relu(s), state[f"{at}.preprocess{i}.conv.weight"]), state, f"{at}.preprocess{i}.bn")
            for i, s in enumerate((s0, s1))
        ]
        for i in range(0, 8, 2):
            pair = [apply_operation(steps[j][0], nodes[int(steps[j][1])], state, f"{at}.ops.{j}") for j in (i, i + 1)]
            nodes.append(pair[0] + pair[1])
        s0, s1 = s1, torch.cat(nodes[2:], dim=1)
    return s1


def reference(state, x, attend=lambda place, x: x):
    def pool(x, kernel, stride):
        return F.max_pool3d(same(x, kernel, stride), kernel, stride)

    x = pool(unit(x, state, "stem.0", (2, 2, 2)), (1, 3, 3), (1, 2, 2))
    x = pool(unit(unit(x, state, "stem.2"), state, "stem.3"), (1, 3, 3), (1, 2, 2))
    for place, (genotype, cells) in enumerate(
        (
            ("s(1) id(0) | s(0) d3(2) | dil(0) t(2) | d3(4) s(2)", 2),
            ("id(1) d1(0) | t(1) d1(2) | id(1) id(2) | t(1) d3(2)", 5),
            ("d1(0) dil(1) | dil(1) d1(2) | t(3) dil(1) | dil(4) d1(3)", 2),
        )
    ):
        if place:
            x = pool(x, (3, 3, 3) if place == 1 else (2, 2, 2), (2, 2, 2))
        x = reference_group(attend(place, x), state, place, genotype, cells)
    return x


def disturbed(network):
    """In evaluation, with norms and mixes that do something."""
    torch.manual_seed(0)
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "running_var", "bn.bias", "bn.weight", "mix")):
            value.copy_(torch.rand_like(value) + 0.5)
    return network.eval()


@pytest.mark.parametrize("size", [(16, 56, 56), (16, 32, 32), (9, 40, 35)])
def test_ni3d_computes_the_published_tables(size):
    network = disturbed(NI3D(base_channels=2).double())
    x = torch.randn(1, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        out = network(x)
        torch.testing.assert_close(out, reference(network.state_dict(), x))
    assert out.shape == (1, network.feat_dim, *(math.ceil(n / s) for n, s in zip(size, (8, 32, 32), strict=True)))


def test_widths_are_the_published_ones():
    with torch.device("meta"):
        network = NI3D()
    assert network.group_channels == [192, 256, 512] and [len(widths) for _, widths in GROUPS] == [2, 5, 2]
    outputs = [[cell.out_channels for cell in group] for group in network.groups]
    assert outputs == [[256, 256], [256, 256, 512, 512, 512], [512, 1024]]


@pytest.mark.parametrize("pairing", ["as_published", "by_time"])
def test_raar3d_computes_the_published_attention(pairing):
    network = disturbed(RAAR3D(pairing, base_channels=2).double())
    state = network.state_dict()
    x = torch.randn(1, 3, 16, 64, 64, dtype=torch.float64)

    def block(i, x):
        at = f"heat_maps.blocks.{i}"
        for first in (0, 3):
            x = F.conv2d(x, state[f"{at}.{first}.weight"], padding=1)
            x = F.relu(norm(x, state, f"{at}.{first + 1}"))
        return x

    heat = []
    for picture in x[0].unbind(dim=1):
        maps = block(0, picture[None])
        for i in (1, 2):
            maps = block(i, torch.cat([picture[None], maps], dim=1))
        heat.append(maps)

    def attend(place, f):
        frames = f.shape[2]
        ranked = torch.zeros_like(f)
        for t in range(frames):
            for k in range(1, 6):
                if t - 5 + k >= 0:
                    ranked[:, :, t] += (2 * k - 6) * f[:, :, t - 5 + k]
        a = F.relu(norm(ranked, state, f"dynamic.{place}.bn"))
        p, q = state[f"dynamic.{place}.mix"]
        dynamic = p * f + q * f * (1 + a)
        step = 16 // frames if pairing == "by_time" else 1
        maps = torch.stack([heat[t * step] for t in range(frames)], dim=2)[0, 0]
        while maps.shape[-1] > f.shape[-1]:
            maps = F.max_pool2d(maps[:, None], 2)[:, 0]
        p, q = state[f"static.{place}.mix"]
        return f + p * dynamic + q * dynamic * (1 + maps)

    ni3d = {name.removeprefix("ni3d."): value for name, value in state.items() if name.startswith("ni3d.")}
    with torch.no_grad():
        out, h3 = network.forward_with_heat(x)
        torch.testing.assert_close(h3, torch.stack(heat, dim=2))
        torch.testing.assert_close(out, reference(ni3d, x, attend))
        assert torch.equal(out, network(x))


# ------------------------------------------------------------------ properties


def test_what_is_still_has_no_rank_from_the_fifth_frame_on():
    x = torch.randn(2, 3, 1, 4, 4).expand(-1, -1, 8, -1, -1)
    ranked = rank_pool(x)
    assert ranked[:, :, 4:].abs().max() < 1e-5 and ranked[:, :, :4].abs().amax() > 0.1
    grows = torch.arange(9.0).view(1, 1, 9, 1, 1)
    assert rank_pool(grows)[0, 0, 4:].flatten().tolist() == [20.0] * 5  # sum of (2 k - 6) k


def test_attention_does_nothing_at_first():
    x, heat = torch.randn(2, 3, 8, 4, 4), torch.rand(2, 1, 16, 9, 9)
    assert torch.equal(DynamicAttention(3)(x), x) and torch.equal(StaticAttention("by_time")(x, heat), x)


def test_maps_are_paired_by_time_or_by_number():
    heat = torch.arange(12.0).view(1, 1, 12, 1, 1)
    assert paired(heat, 3, "by_time").flatten().tolist() == [0, 4, 8]
    assert paired(heat, 5, "by_time").flatten().tolist() == [0, 2, 4, 7, 9]
    assert paired(heat, 3, "as_published").flatten().tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="pairing='time' is unknown; choose from as_published, by_time"):
        RAAR3D("time")


def test_a_heat_map_is_made_of_its_own_frame():
    maps = disturbed(HeatMaps())
    x, order = torch.randn(2, 3, 4, 6, 6), [2, 0, 3, 1]
    with torch.no_grad():
        out = maps(x)
        torch.testing.assert_close(maps(x[:, :, order]), out[:, :, order])
        torch.testing.assert_close(disturbed(HeatMaps(shrink=2))(x), maps(F.avg_pool3d(x, (1, 2, 2))))
    assert out.shape == (2, 1, 4, 6, 6) and out.min() >= 0


def test_momenta_are_the_layers_own_unless_one_is_given():
    def momenta(**kwargs):
        network = RAAR3D(base_channels=1, **kwargs)
        return {m.momentum for m in network.ni3d.modules() if isinstance(m, torch.nn.BatchNorm3d)}

    assert momenta() == {0.01, 0.1} and momenta(norm_momentum=0.2) == {0.2}


# ------------------------------------------------------------------ as configured


def clips(n, size, channels=1):
    inputs = torch.randint(0, 256, (n, 1, channels, 16, size, size)).byte()
    return {"inputs": inputs, "data_samples": [ActionDataSample().set_gt_label(i) for i in range(n)]}


@pytest.mark.parametrize("name", ["ni3d", "raar3d"])
@pytest.mark.parametrize(("profile", "size"), [("smoke", 32), ("demo", 56)])
def test_a_step_of_training_changes_weights_and_one_clip_is_predicted(name, profile, size):
    model = recognizer(f"{name}_nvgesture-rgb", profile)
    model.init_weights()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    for _ in range(2):  # in the first step the maps have no weight yet
        assert math.isfinite(model.train_step(clips(2, size, 3), optimizer)["loss"].detach())
    still = [name for name, p in model.named_parameters() if torch.equal(p, before[name])]
    assert not still
    (sample,) = model.eval().test_step(clips(1, size, 3))
    assert sample.pred_score.shape == (25,) and abs(float(sample.pred_score.detach().sum()) - 1) < 1e-5


def test_raar3d_starts_from_a_trained_ni3d(tmp_path):
    donor = disturbed(recognizer("ni3d_nvgesture-depth"))
    torch.save({"state_dict": donor.state_dict()}, tmp_path / "ni3d.pth")
    model = recognizer(init_from=str(tmp_path / "ni3d.pth"))
    model.init_weights()
    state = model.state_dict()
    for name, value in donor.state_dict().items():
        assert torch.equal(state[name.replace("backbone.", "backbone.ni3d.")], value), name
    x = torch.randn(1, 3, 16, 32, 32)
    for static in model.backbone.static:
        torch.nn.init.zeros_(static.mix)
    with torch.no_grad():
        torch.testing.assert_close(model.eval().backbone(x), donor.backbone(x))


@pytest.mark.parametrize(
    ("profile", "words"),
    [("demo", "model.init_from: .*ni3d.pth does not fit: stem.0.conv.weight is"), (None, "train that stage first")],
)
def test_another_start_is_one_line(tmp_path, profile, words):
    if profile:
        torch.save({"state_dict": recognizer("ni3d_nvgesture-depth", profile).state_dict()}, tmp_path / "ni3d.pth")
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        recognizer(init_from=str(tmp_path / "ni3d.pth")).init_weights()


def test_heat_maps_are_learned_where_the_data_have_key_points():
    torch.manual_seed(0)
    model = recognizer(heatmap_source="file", heatmap_weight=7.0)
    model.eval()
    batch = clips(2, 32)
    target = torch.randint(0, 256, (2, 1, 1, 16, 32, 32)).byte()
    data = model.data_preprocessor({**batch, "inputs": {"depth": batch["inputs"], "heatmap": target}}, True)
    clip = data["inputs"]["depth"]
    with torch.no_grad():
        losses = model(**data, mode="loss")
        feature, heat = model.backbone.forward_with_heat(clip[:, 0])
        error = (heat - target[:, 0] / 255).square().mean()
        expected = F.cross_entropy(model.cls_head(feature), torch.arange(2))
    torch.testing.assert_close(losses["loss_heatmap"], 7 * error)
    torch.testing.assert_close(losses["loss_cls"], expected)
    model.backbone.heat_maps.shrink = 2  # maps of half the size learn from key-points' maps of half the size
    with torch.no_grad():
        losses = model(**data, mode="loss")
        heat = model.backbone.forward_with_heat(clip[:, 0])[1]
        error = (heat - F.avg_pool3d(target[:, 0] / 255, (1, 2, 2))).square().mean()
    assert heat.shape == (2, 1, 16, 16, 16)
    torch.testing.assert_close(losses["loss_heatmap"], 7 * error)
    plain = recognizer().data_preprocessor(batch, True)["inputs"]
    assert torch.equal(plain, clip), "maps leave the clips alone"


def test_key_points_that_are_missing_or_without_effect_are_one_line():
    clip, heat = torch.zeros(1, 1, 3, 16, 32, 32), torch.zeros(1, 1, 1, 16, 32, 32)
    samples = [ActionDataSample().set_gt_label(0)]
    with pytest.raises(ValueError, match="the training data have no heat maps: put LoadKeyPoints after LoadModalities"):
        recognizer(heatmap_source="file")(clip, samples, mode="loss")
    with pytest.raises(ValueError, match="heat maps without effect: set model.heatmap_source='file'"):
        recognizer()({"depth": clip, "heatmap": heat}, samples, mode="loss")
    with pytest.raises(ValueError, match="takes one modality, and its heat maps; the data give rgb, depth"):
        recognizer()({"rgb": clip, "depth": clip}, samples, mode="loss")
    with pytest.raises(ValueError, match="heatmap_source='json' is unknown; choose from none, file"):
        recognizer(heatmap_source="json")
