"""MTUT: the alignment against plain NumPy, who learns from whom and when, one stream by itself."""

import mtcd_plugin.register  # noqa: F401  isort: skip
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope

from harness.network.cost import count_cost
from harness.plan.resolve import resolve
from mtcd_plugin.models.losses.ssa import alignment, correlations, focus

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs/mtut"


def count(module):
    return sum(p.numel() for p in module.parameters())


def model_of(name, profile, **changes):
    init_default_scope("mmaction")
    return MODELS.build({**resolve(CONFIGS / f"{name}.py", profile).config["model"], **changes})


def batch(size=32, n=2, modalities=("rgb", "depth")):
    torch.manual_seed(0)
    samples = [ActionDataSample().set_gt_label(i) for i in range(n)]
    return {name: torch.randn(n, 1, 3, 16, size, size) for name in modalities}, samples


@pytest.fixture
def epoch():
    hub = MessageHub.get_instance(f"test-mtut-{np.random.default_rng().integers(2**40)}")
    yield lambda number: hub.update_info("epoch", number)
    MessageHub.get_instance(f"after-{hub.instance_name}")


# ---------------------------------------------------------------------- the term


def by_hand(own, other, own_losses, other_losses, beta, reading):
    """The term from the paper's and mmpose's formulas, clip by clip."""
    terms = []
    for a, b, la, lb in zip(own, other, own_losses, other_losses, strict=True):
        corr = []
        for f in (a, b):
            f = f.reshape(len(f), -1)  # [C, d]
            if reading == "mmpose":
                f = f / np.linalg.norm(f, axis=1, keepdims=True)
                corr.append(f.T @ f)
            else:
                corr.append(np.corrcoef(f.T))
        square = (corr[0] - corr[1]) ** 2
        distance = np.sqrt(square.mean()) if reading == "mmpose" else square.sum()
        terms.append((np.exp(beta * max(la - lb, 0)) - 1) * distance)
    return terms


@pytest.mark.parametrize("reading", ["mmpose", "paper"])
def test_the_term_is_that_of_its_formula(reading):
    rng = np.random.default_rng(0)
    own, other = rng.normal(size=(3, 5, 2, 2, 3)), rng.normal(size=(3, 4, 2, 2, 3))
    own_losses, other_losses = np.array([1.0, 0.2, 2.0]), np.array([0.5, 0.7, 0.4])
    given = [torch.from_numpy(x) for x in (own, other, own_losses, other_losses)]
    found = alignment(*given, beta=2.0, reading=reading)
    expected = by_hand(own, other, own_losses, other_losses, 2.0, reading)
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_the_papers_correlations_do_not_depend_on_scale_and_offset_of_a_position():
    x = torch.randn(2, 6, 1, 2, 2)
    scaled = 3 * x + torch.randn(2, 1, 1, 2, 2)
    torch.testing.assert_close(correlations(x, "paper"), correlations(scaled, "paper"), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(correlations(x, "paper").diagonal(dim1=1, dim2=2), torch.ones(2, 4))
    weighted = x * torch.rand(2, 6, 1, 1, 1)
    torch.testing.assert_close(correlations(x), correlations(weighted))  # mmpose: nor on the scale of a channel


@pytest.mark.parametrize("reading", ["mmpose", "paper"])
def test_the_worse_stream_alone_learns(reading):
    own, other = (torch.randn(2, 3, 1, 2, 2, requires_grad=True) for _ in range(2))
    losses = torch.tensor([2.0, 0.5], requires_grad=True), torch.tensor([1.0, 1.0], requires_grad=True)
    alignment(own, other, *losses, 2.0, reading).sum().backward()
    assert other.grad is None and losses[0].grad is None and losses[1].grad is None
    assert own.grad[0].abs().sum() > 0 and own.grad[1].abs().sum() == 0  # the second clip is better already


@pytest.mark.parametrize("reading", ["mmpose", "paper"])
def test_equal_losses_or_features_give_nothing(reading):
    own, other = (torch.randn(2, 3, 1, 2, 2, requires_grad=True) for _ in range(2))
    equal = torch.tensor([0.3, 0.4])
    assert alignment(own, other, equal, equal, 2.0, reading).tolist() == [0, 0]
    term = alignment(own, own, equal + 1, equal, 2.0, reading).sum()
    term.backward()
    assert term < 1e-4 and own.grad.isfinite().all()
    assert focus(equal, equal + 1).tolist() == [0, 0]


def test_features_of_other_sizes_are_one_line():
    with pytest.raises(ValueError, match=r"features of \[1, 2, 2\] and \[1, 3, 3\] positions .* same frames, size"):
        alignment(torch.randn(1, 3, 1, 2, 2), torch.randn(1, 3, 1, 3, 3), torch.ones(1), torch.ones(1), 2.0, "mmpose")


# ---------------------------------------------------------------------- the network


def test_losses_are_symmetric_in_the_two_modalities(epoch):
    epoch(0)
    model, (inputs, samples) = model_of("mtut_mgr-dark-rgb-depth", "smoke").train(), batch(n=4)
    losses = model(inputs, samples, mode="loss")
    assert {k for k in losses if "loss" in k} == {
        "loss_cls_rgb",
        "loss_cls_depth",
        "loss_ssa_rgb_depth",
        "loss_ssa_depth_rgb",
    }
    model.streams["rgb"], model.streams["depth"] = model.streams["depth"], model.streams["rgb"]
    swapped = model({"rgb": inputs["depth"], "depth": inputs["rgb"]}, samples, mode="loss")
    for name in ("loss_cls_{}", "loss_ssa_{}_{}"):
        there, back = name.format("rgb", "depth"), name.format("depth", "rgb")
        torch.testing.assert_close(losses[there], swapped[back], atol=1e-6, rtol=1e-4)
    assert losses["loss_ssa_rgb_depth"] + losses["loss_ssa_depth_rgb"] > 0


def test_the_terms_begin_with_their_epoch_and_are_capped(epoch):
    inputs, samples = batch(n=4)
    changes = dict(start_epoch=3, ssa_weight=1e6)
    model = model_of("mtut_mgr-dark-rgb-depth", "smoke", **changes).train()
    found = []
    for number in range(4):
        epoch(number)
        found.append({k: v for k, v in model(inputs, samples, mode="loss").items() if "ssa" in k})
    assert found[:2] == [{}, {}] and len(found[2]) == len(found[3]) == 2
    values = [v.item() for v in found[2].values()]
    assert max(values) == 10 and all(v in (0, 10) or v < 10 for v in values)
    uncapped = model_of("mtut_mgr-dark-rgb-depth", "smoke", **changes, cap=None).train()
    assert max(v.item() for k, v in uncapped(inputs, samples, mode="loss").items() if "ssa" in k) > 10


def test_a_clip_without_a_modality_has_no_part_in_what_needs_it(epoch):
    epoch(0)
    model, (inputs, samples) = model_of("mtut_mgr-dark-rgb-depth", "smoke").eval(), batch(n=2)
    both = [model({m: x[i : i + 1] for m, x in inputs.items()}, samples[i : i + 1], mode="loss") for i in range(2)]
    inputs["depth"][1] = 0
    found = model(inputs, samples, mode="loss")
    torch.testing.assert_close(found["loss_cls_rgb"], (both[0]["loss_cls_rgb"] + both[1]["loss_cls_rgb"]) / 2)
    for name in ("loss_cls_depth", "loss_ssa_rgb_depth", "loss_ssa_depth_rgb"):
        torch.testing.assert_close(found[name], both[0][name] / 2)


def test_the_mean_of_probabilities_and_each_stream_by_itself(tmp_path):
    model, (inputs, samples) = model_of("mtut_mgr-dark-rgb-depth", "smoke").eval(), batch()
    torch.save({"state_dict": model.state_dict()}, tmp_path / "joint.pth")
    with torch.no_grad():
        model(inputs, samples, mode="predict")
        together = torch.stack([s.pred_score for s in samples])
        alone = []
        for name in ("rgb", "depth"):
            one = model_of(f"mtut_mgr-dark-{name}", "smoke").eval()
            one.checkpoints[name] = str(tmp_path / "joint.pth")
            one(inputs[name], samples, mode="predict")
            alone.append(torch.stack([s.pred_score for s in samples]))
            expected = model.streams[name](inputs[name])
            torch.testing.assert_close(alone[-1], model.streams[name].cls_head(expected).softmax(1))
    torch.testing.assert_close(together, torch.stack(alone).mean(0))
    assert not torch.allclose(*alone, atol=1e-3)


@pytest.mark.parametrize("name", ["mtut_nvgesture-rgb-depth", "mtut_nvgesture-rgb", "mtut_nvgesture-depth"])
def test_the_network_at_full_size(name):
    with torch.device("meta"):
        model = model_of(name, "paper")
    one = 12_287_264 + 25_625
    assert count(model) == (2 * one if "rgb-depth" in name else one)


def test_a_streams_cost_is_its_own():
    joint, alone = model_of("mtut_mgr-dark-rgb-depth", "smoke"), model_of("mtut_mgr-dark-depth", "smoke")
    alone.loaded = True  # nothing is read
    both = count_cost(joint, {"rgb": (3, 16, 32, 32), "depth": (1, 16, 32, 32)})
    one = count_cost(alone, (1, 16, 32, 32))
    assert (both.params, both.flops) == (2 * one.params, 2 * one.flops)


@pytest.mark.parametrize(("profile", "size"), [("demo", 56), ("smoke", 32)])
def test_a_step_at_small_sizes_changes_both_streams(profile, size):
    model, (inputs, samples) = model_of("mtut_nvgesture-rgb-depth", profile).train(), batch(size)
    sum(v for k, v in model(inputs, samples, mode="loss").items() if "loss" in k).backward()
    for stream in model.streams.values():
        grads = [p.grad.abs().sum() for p in stream.parameters()]
        assert all(g.isfinite() for g in grads) and grads[0] > 0
    with torch.no_grad():
        assert model.eval()({m: x[:1] for m, x in inputs.items()}).shape == (1, 25)


def test_infrared_teaches_i3d():
    model = model_of("mtut_ir-streams_mgr-dark", "smoke").train()
    losses = model(*batch(modalities=("rgb", "ir"), n=4), mode="loss")
    assert "loss_ssa_ir_rgb" in losses and all(torch.isfinite(v) for v in losses.values())
    alone = resolve(CONFIGS.parent / "i3d/i3d_r50_mgr-dark-rgb.py", "paper").config["model"]
    stream = resolve(CONFIGS / "mtut_ir-streams_mgr-dark.py", "paper").config["model"]["stream"]
    assert stream == {k: v for k, v in alone.items() if k != "data_preprocessor"}


def test_wrong_arguments_are_one_line():
    with pytest.raises(ValueError, match="ssa 'frobenius' is unknown; choose from mmpose, paper"):
        model_of("mtut_mgr-dark-rgb-depth", "smoke", ssa="frobenius")
    with pytest.raises(ValueError, match="beta=-1 must be 0 or more"):
        model_of("mtut_mgr-dark-rgb-depth", "smoke", beta=-1)
    stream = dict(type="Recognizer3D", cls_head=dict(type="I3DHead", label_smooth_eps=0.1))
    with pytest.raises(ValueError, match="model.stream.cls_head.label_smooth_eps has no effect"):
        model_of("mtut_mgr-dark-rgb-depth", "smoke", stream=stream)
