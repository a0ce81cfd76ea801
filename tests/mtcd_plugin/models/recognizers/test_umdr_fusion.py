"""CFCer: its counts, its properties, and the recognizer of two frozen streams."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from harness.plan.resolve import resolve
from mtcd_plugin.models.backbones.knn_transformer import knn_attention
from mtcd_plugin.models.fusion.cross_fusion import CrossAttention, CrossFusion, PairGate

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[4] / "mm_configs" / "umdr"
SMALL = dict(frames=16, channels=32, heads=2, head_channels=16, hidden=48)


def count(module):
    return sum(p.numel() for p in module.parameters())


def config(profile, name="umdr_nvgesture-rgb-depth"):
    return copy.deepcopy(resolve(CONFIGS / f"{name}.py", profile).config["model"])


def test_parameters_at_full_size():
    init_default_scope("mmaction")
    with torch.device("meta"):
        model = MODELS.build(config("paper"))
    assert (count(model.streams), count(model.fusion)) == (76_253_270, 23_710_770)
    parts = {
        "spatial": 2 * 4_729_856 + 1_024,
        "gate": 1_576_960,
        "norms": 2_048,
        "positions": 33_792,
        "temporal": 12_611_584,
        "classifiers": 25_650,
    }
    assert {name: count(part) for name, part in model.fusion.named_children()} == parts, "in this order"


def test_cross_attention_takes_only_the_keys_from_the_other_side():
    torch.manual_seed(0)
    layer = CrossAttention(8, heads=2, head_channels=4, hidden=12, keep=0.7).eval()
    own, other = torch.randn(2, 10, 8), torch.randn(2, 10, 8)
    w = [m.weight for m in (layer.query, layer.key, layer.value)]
    a = F.layer_norm(knn_attention(own @ w[0].T, other @ w[1].T, own @ w[2].T, heads=2, keep=0.7), (8,)) + own
    with torch.no_grad():
        torch.testing.assert_close(layer(own, other), a + layer.mlp(a))
        for p in layer.mlp[4].parameters():
            p.zero_()
        torch.testing.assert_close(layer(own, other), a), "without the MLP"


def test_the_gate_multiplies_each_side_by_what_both_say():
    torch.manual_seed(0)
    gate = PairGate(4)
    pair = torch.randn(3, 4), torch.randn(3, 4)
    with torch.no_grad():
        out = gate(pair)
        shares = [o / x for o, x in zip(out, pair, strict=True)]
        assert all(((s > 0) & (s < 1)).all() for s in shares)
        other = gate((pair[0], -pair[1]))
        assert not torch.allclose(other[0] / pair[0], shares[0]), "it sees the other side"
        for side in (gate.first, gate.second):
            side[2].weight.zero_(), side[2].bias.zero_()
        for o, x in zip(gate(pair), pair, strict=True):
            torch.testing.assert_close(o, x / 2)


def test_classes_come_from_the_tokens_and_all_frames():
    torch.manual_seed(0)
    fusion = CrossFusion(5, **SMALL).eval()
    features = [torch.randn(2, 16, 32, requires_grad=True) for _ in range(2)]
    tokens = [torch.randn(2, 32, requires_grad=True) for _ in range(2)]
    first, second = fusion(tuple(features), tuple(tokens))
    assert first.shape == second.shape == (2, 5)
    (first.square().sum() + second.square().sum()).backward()
    assert all(t.grad.abs().sum() > 0 for t in tokens)
    assert all((f.grad.abs().sum(dim=2) > 0).all() for f in features), "keys or values of every frame"
    with torch.no_grad():
        alone = fusion(tuple(f[1:] for f in features), tuple(t[1:] for t in tokens))
    torch.testing.assert_close(alone[0], first[1:], atol=1e-5, rtol=1e-4)


def test_heads_that_do_not_fill_the_channels_are_one_line():
    with pytest.raises(ValueError, match="heads \\* head_channels is 16, must be channels=32"):
        CrossFusion(5, **{**SMALL, "heads": 1})


# ---------------------------------------------------------------------- the recognizer


@pytest.fixture
def model(tmp_path):
    """The fusion of two streams that were never trained."""
    init_default_scope("mmaction")
    made = config("smoke")
    for i, name in enumerate(("rgb", "depth")):
        torch.manual_seed(i)
        stream = MODELS.build(config("smoke", f"umdr_nvgesture-{name}"))
        torch.save({"state_dict": stream.state_dict()}, tmp_path / f"{name}.pth")
        made["init_from"][name] = str(tmp_path / f"{name}.pth")
    network = MODELS.build(made)
    network.init_weights()
    return network


def batch(size=4):
    samples = [ActionDataSample() for _ in range(size)]
    for i, sample in enumerate(samples):
        sample.set_gt_label(i)
    return {m: torch.randn(size, 1, 3, 16, 32, 32) for m in ("rgb", "depth")}, samples


def test_streams_are_loaded_and_stay_while_the_fusion_learns(model, tmp_path):
    saved = torch.load(tmp_path / "depth.pth", weights_only=True)["state_dict"]
    model.train()
    assert not any(m.training for m in model.streams.modules())
    before = {n: p.clone() for n, p in model.state_dict().items()}
    for n, p in saved.items():
        assert torch.equal(p, before[f"streams.depth.{n}"])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = model(*batch(), mode="loss")
    assert set(losses) == {"loss_cls_rgb", "loss_cls_depth", "top1_acc"}
    model.parse_losses(losses)[0].backward()
    optimizer.step()
    changed = {n for n, p in model.state_dict().items() if not torch.equal(p, before[n])}
    assert changed == {f"fusion.{n}" for n, _ in model.fusion.named_parameters()}


@pytest.mark.parametrize("size", [2, 1])
def test_it_predicts_by_the_mean_of_four_logits(model, size):
    model.eval()
    inputs, samples = batch(size)
    with torch.no_grad():
        found = model(inputs, samples, mode="predict")
        (rgb, depth), (fused_rgb, fused_depth) = model.all_logits({m: x[:, 0] for m, x in inputs.items()})
        torch.testing.assert_close(rgb, model.streams["rgb"](inputs["rgb"], stage="head"), rtol=1e-3, atol=1e-3)
    expected = ((rgb + depth + fused_rgb + fused_depth) / 4).softmax(dim=1)
    torch.testing.assert_close(torch.stack([s.pred_score for s in found]), expected, rtol=1e-3, atol=1e-5)


def test_each_modality_is_mixed_by_itself(model, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "mtcd_plugin.models.recognizers.umdr_fusion.F.cross_entropy", lambda x, t: seen.append(t) or x.sum()
    )
    model.mixing = dict(shuffle_prob=0.0, mixup_alpha=1.0)
    model(*batch(), mode="loss")
    assert not torch.allclose(seen[0], seen[1])
    seen.clear()
    model.mixing = None
    model(*batch(), mode="loss")
    assert torch.equal(seen[0], seen[1])


def test_a_stream_without_weights_is_one_line():
    init_default_scope("mmaction")
    with pytest.raises(ValueError, match="model.init_from.rgb is empty, and the stream is frozen: train that network"):
        MODELS.build(config("smoke")).init_weights()
    with pytest.raises(ValueError, match="init_from 'ir' is none of rgb, depth"):
        MODELS.build({**config("smoke"), "init_from": {"ir": "x.pth"}})
