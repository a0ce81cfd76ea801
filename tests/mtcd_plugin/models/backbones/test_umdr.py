"""UMDR's network against its published counts, and its attention among channels against loops."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import math
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from harness.plan.resolve import resolve
from mtcd_plugin.models.backbones.umdr import UMDR, ChannelRecoupling, NeighbourMaxPool, attend_channels

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs"
EXAMPLE = dict(frames=16, base_channels=4, heads=2, head_channels=16, hidden=48)


def count(module):
    return sum(p.numel() for p in module.parameters())


def recognizer(profile):
    init_default_scope("mmaction")
    return MODELS.build(resolve(CONFIGS / "umdr" / "umdr_nvgesture-rgb.py", profile).config["model"])


@pytest.mark.parametrize(
    ("frames", "parameters", "recoupling", "temporal", "multiply_adds"),
    [
        (16, 37_861_323, 17_952, 33_991_547, 19_909_200_384),
        (32, 38_126_635, 53_824, 34_149_243, 39_825_231_360),
        (64, 38_507_755, 180_864, None, 78_604_475_904),
    ],
)
def test_parameters_and_multiply_adds_at_full_size(frames, parameters, recoupling, temporal, multiply_adds):
    with torch.device("meta"):
        model = recognizer("paper")
        network, head = UMDR(frames).eval(), model.cls_head.eval()
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            logits = head(network(torch.empty(2, 3, frames, 224, 224)))
    assert logits.shape == (2, 25)
    assert count(network) + count(head) == parameters
    if frames == 32:
        assert count(model) == parameters, "the config's"
    assert (count(network.stem), count(network.linear)) == (124_736, 263_680)
    assert [count(stage.recoupling) for stage in network.stages] == [recoupling] * 3
    if temporal:
        assert count(network.branches) + count(head) == temporal
    assert counter.get_total_flops() // 4 == multiply_adds, "two clips"


def test_parameters_come_in_the_order_of_the_tables():
    with torch.device("meta"):
        names = [n for n, _ in recognizer("smoke").named_parameters()]
    expected = ["backbone.stem.conv1", "backbone.stem.conv2b", "backbone.stem.conv2c"]
    for i, blocks in enumerate(("3b 3c", "4b 4c", "5b 5c")):
        expected += [f"backbone.stages.{i}.layers.inception_{b}" for b in blocks.split()]
        expected += [f"backbone.stages.{i}.recoupling.{x}" for x in ("query", "key", "gate", "vector")]
    expected += ["backbone.linear", *(f"backbone.branches.{i}" for i in range(3)), "cls_head.fc_cls"]
    places = [next(i for i, e in enumerate(expected) if n.startswith(e + ".")) for n in names]
    assert places == sorted(places) and set(places) == set(range(len(expected)))


# ---------------------------------------------------------------------- attention among channels


def test_frames_are_heads_whose_channels_attend_to_one_another():
    torch.manual_seed(0)
    q, k, x = torch.randn(2, 5, 3, 4), torch.randn(2, 5, 3, 4), torch.randn(2, 5, 3, 2, 6)
    out = attend_channels(q, k, x)
    for n in range(2):
        for t in range(3):
            for c in range(5):
                scores = torch.stack([q[n, c, t] @ k[n, other, t] / math.sqrt(4) for other in range(5)])
                expected = sum(w * x[n, other, t] for other, w in enumerate(scores.softmax(0)))
                torch.testing.assert_close(out[n, c, t], expected)


def test_without_queries_and_keys_every_channel_becomes_the_mean():
    torch.manual_seed(0)
    module = ChannelRecoupling(frames=8, out_channels=32)
    with torch.no_grad():
        module.query.weight.zero_(), module.key.weight.zero_()
        x = torch.randn(1, 6, 8, 3, 3)
        out, vector = module(x)
    added = out - x
    mean = x.mean(dim=1, keepdim=True)
    gate = module.gate(mean.mean(dim=(1, 3, 4)))
    torch.testing.assert_close(added, (mean * gate.sigmoid()[:, None, :, None, None]).expand_as(x))
    torch.testing.assert_close(vector, module.vector(gate))
    assert out.shape == x.shape and vector.shape == (1, 32)


def test_equal_channels_stay_equal():
    x = torch.randn(2, 1, 8, 3, 3).expand(-1, 6, -1, -1, -1)
    with torch.no_grad():
        out, _ = ChannelRecoupling(frames=8)(x)
    torch.testing.assert_close(out, out[:, :1].expand_as(out))


def test_the_attention_is_computed_again_and_not_kept():
    """The gradients are those of the plain module; nothing as large as the attention is saved for them."""
    torch.manual_seed(0)
    module, kept = ChannelRecoupling(frames=8, out_channels=4), []
    x = torch.randn(2, 40, 8, 1, 1, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        out, vector = module(x)
    assert max(kept) < 2 * 8 * 40 * 40
    (out.square().sum() + vector.sum()).backward()
    found = [x.grad.clone(), *(p.grad.clone() for p in module.parameters())]
    x.grad = None
    module.zero_grad()

    means = x.mean(dim=(3, 4))
    q, k = module.query(means).unflatten(2, (8, 16)), module.key(means).unflatten(2, (8, 16))
    attended = attend_channels(q, k, x)
    gate = module.gate(attended.mean(dim=(1, 3, 4)))
    again = x + attended * gate.sigmoid()[:, None, :, None, None]
    torch.testing.assert_close(out, again)
    (again.square().sum() + module.vector(gate).sum()).backward()
    for a, b in zip(found, [x.grad, *(p.grad for p in module.parameters())], strict=True):
        torch.testing.assert_close(a, b)


def test_of_neighbouring_channels_the_larger_goes_on():
    x = torch.tensor([1.0, 5.0, 4.0, -2.0, -3.0, -1.0]).view(1, 6, 1, 1, 1).expand(2, 6, 3, 1, 1)
    assert NeighbourMaxPool()(x)[0, :, 0, 0, 0].tolist() == [5, 4, -1]


# ---------------------------------------------------------------------- the whole


@pytest.mark.parametrize(("frames", "kernels"), [(16, [2, 4, 4]), (32, [4, 5, 6]), (64, [4, 5, 6])])
def test_branches_by_the_length_of_the_clip(frames, kernels):
    with torch.device("meta"):
        network = UMDR(**{**EXAMPLE, "frames": frames})
    seen = [branch.frames for branch in network.branches]
    assert seen == ([8, 16, 24] if frames == 16 else [16, 32, 48])
    assert [branch.inception.branch2[1].kernel for branch in network.branches] == [(k, 1, 1) for k in kernels]


@pytest.mark.parametrize(("profile", "size", "channels"), [("demo", 56, 64), ("smoke", 32, 32)])
def test_demo_and_smoke_sizes_and_a_batch_of_one(profile, size, channels):
    network = recognizer(profile).backbone.eval()
    x = torch.randn(2, 3, 16, size, size)
    with torch.no_grad():
        tokens, layers, vectors = network(x)
        alone = network(x[1:])
    assert tokens.shape == layers.shape == vectors.shape == (2, 3, channels)
    for both, one in zip((tokens, layers, vectors), alone, strict=True):
        torch.testing.assert_close(both[1:], one, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(layers[:, -1], tokens.sum(dim=1)), "the last layer's tokens, summed over branches"


def test_tokens_are_drawn_in_training_and_the_same_in_tests():
    network = UMDR(**EXAMPLE, dropout=0.0).eval()
    features = torch.randn(2, 16, 32)
    with torch.no_grad():
        assert torch.equal(network.temporal(features), network.temporal(features))
        network.branches.train()
        torch.manual_seed(1)
        first = network.temporal(features)
        other = network.temporal(features)
        torch.manual_seed(1)
        assert torch.equal(network.temporal(features), first)
    assert not torch.allclose(first[:, 0], other[:, 0]), "8 of 16 frames"


def test_other_lengths_are_one_line():
    with pytest.raises(ValueError, match="frames=24 of UMDR is unknown; choose from 16, 32, 64"):
        UMDR(frames=24)
    with pytest.raises(ValueError, match="UMDR is built for 16 frames, the clip has 32"):
        UMDR(**EXAMPLE)(torch.zeros(1, 3, 32, 32, 32))


def test_the_momentum_of_norms_is_the_codes_but_at_demo():
    def momenta(network):
        return {m.momentum for m in network.modules() if isinstance(m, torch.nn.BatchNorm3d)}

    with torch.device("meta"):
        assert momenta(recognizer("paper")) == {0.01}
        assert momenta(recognizer("demo")) == {0.1}
        assert momenta(UMDR(**EXAMPLE, norm_momentum=0.3)) == {0.3}
