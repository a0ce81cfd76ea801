"""Eq. 5-7: distances, projections and fusion against numpy."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS

from mtcd_plugin.models.distillers.projection import LearnedFusion, fuse_features
from mtcd_plugin.models.losses.distances import DISTANCES, feature_distance, logit_distance


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4, 5))


def numpy_distance(a, b, distance, reduction):
    out = []
    for clip_a, clip_b in zip(a, b, strict=True):
        if distance in ("normalized_l2", "cosine"):
            values = [
                0.5 * np.linalg.norm(x - y) ** 2
                if distance == "normalized_l2"
                else 1 - x @ y / np.linalg.norm(x) / np.linalg.norm(y)
                for x, y in zip(clip_a, clip_b, strict=True)
            ]
        else:
            d = np.abs(clip_a - clip_b).ravel()
            values = {"l2": d**2 / 2, "mse": d**2, "smooth_l1": np.where(d < 1, d**2 / 2, d - 0.5)}[distance]
        out.append(np.mean(values) if reduction == "mean" else np.sum(values))
    return np.array(out)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_values(pair, distance, reduction):
    a, b = pair
    got = feature_distance(torch.tensor(a), torch.tensor(b), distance, reduction)
    np.testing.assert_allclose(got, numpy_distance(a, b, distance, reduction), rtol=1e-12)


def test_by_hand():
    """Unit vectors at right angles: 1/2 ||(1, 0) - (0, 1)||^2 = 1; opposite: 2, the bound; equal: 0."""
    e = torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]])
    f = torch.tensor([[[0.0, 1.0]], [[-1.0, 0.0]], [[1.0, 0.0]]])
    assert feature_distance(e, f).tolist() == [1.0, 2.0, 0.0]


@pytest.mark.parametrize("distance", DISTANCES)
def test_gradients(pair, distance):
    a, b = (torch.tensor(x, requires_grad=True) for x in pair)
    assert torch.autograd.gradcheck(lambda s, t: feature_distance(s, t, distance), (a, b))


def test_different_shapes_are_named(pair):
    a = torch.tensor(pair[0])
    with pytest.raises(ValueError, match="level='vector'"):
        feature_distance(a, a[:, :2])


def test_logit_distance(pair):
    a, b = pair[0][:, 0], pair[1][:, 0]
    tau = 4.0
    p, q = (np.exp(x / tau) / np.exp(x / tau).sum(axis=1, keepdims=True) for x in (a, b))
    np.testing.assert_allclose(
        logit_distance(torch.tensor(a), torch.tensor(b), tau),
        tau**2 * (p * np.log(p / q)).sum(axis=1),
        rtol=1e-10,
    )


def test_fusion(pair):
    t, a = (torch.tensor(x) for x in pair)
    np.testing.assert_allclose(fuse_features(t, a, "mean"), (pair[0] + pair[1]) / 2)
    np.testing.assert_allclose(fuse_features(t, a, "sum"), pair[0] + pair[1])
    np.testing.assert_allclose(fuse_features(t, a, "max"), np.maximum(*pair))
    np.testing.assert_allclose(fuse_features(None, a, "assistant"), pair[1])
    with pytest.raises(ValueError, match="choose from"):
        fuse_features(t, a, "median")


@pytest.mark.parametrize("kind", ["gate", "concat", "attention"])
def test_learned_fusion(pair, kind):
    t, a = (torch.tensor(x) for x in pair)
    module = LearnedFusion(5, kind, 3).double()
    w = {k: v.detach().numpy() for k, v in module.named_parameters()}
    if kind == "attention":
        s, r = (np.exp(x @ w["score.weight"][0] + w["score.bias"]) for x in pair)
        expected = (s[..., None] * pair[0] + r[..., None] * pair[1]) / (s + r)[..., None]
    else:
        mixed = np.concatenate(pair, axis=2) @ w["mix.weight"].T + w["mix.bias"]
        gate = 1 / (1 + np.exp(-mixed))
        expected = mixed if kind == "concat" else gate * pair[0] + (1 - gate) * pair[1]
    np.testing.assert_allclose(module(t, a).detach(), expected, rtol=1e-10)
    assert module.logits(t, a).shape == (3, 3)


@pytest.mark.parametrize(("level", "positions"), [("time", 4), ("vector", 1), ("map", 24)])
def test_projection(level, positions):
    torch.manual_seed(0)
    x = torch.randn(2, 6, 4, 2, 3, dtype=torch.float64)
    project = MODELS.build(dict(type="FeatureProjection", in_channels=6, out_channels=5, level=level)).double()
    f = x.numpy()
    pooled = {
        "time": f.mean(axis=(3, 4)).transpose(0, 2, 1),
        "vector": f.mean(axis=(2, 3, 4))[:, None],
        "map": f.reshape(2, 6, -1).transpose(0, 2, 1),
    }[level]
    normed = (pooled - pooled.mean(-1, keepdims=True)) / np.sqrt(pooled.var(-1, keepdims=True) + 1e-5)
    expected = normed @ project.linear.weight.detach().numpy().T + project.linear.bias.detach().numpy()
    assert expected.shape == (2, positions, 5)
    np.testing.assert_allclose(project(x).detach(), expected, atol=1e-12)


def test_orthogonal_projection_is_the_same_for_every_network_and_keeps_lengths():
    torch.manual_seed(3)
    config = dict(type="FeatureProjection", in_channels=4, out_channels=6, kind="orthogonal", level="vector")
    first, second = MODELS.build(config), MODELS.build(config)
    x = torch.randn(2, 4, 2, 2, 2)
    assert torch.equal(first(x), second(x)) and not list(first.parameters())
    torch.testing.assert_close(first(x).norm(dim=2)[:, 0], x.mean(dim=(2, 3, 4)).norm(dim=1))


def test_identity_and_conv_bn():
    x = torch.randn(3, 4, 2, 2, 2)
    same = MODELS.build(dict(type="FeatureProjection", in_channels=4, kind="identity", level="map"))
    assert same.out_channels == 4 and torch.equal(same(x), x.flatten(2).transpose(1, 2))
    conv = MODELS.build(dict(type="FeatureProjection", in_channels=4, out_channels=5, kind="conv_bn"))
    out = conv(x)
    torch.testing.assert_close(out.mean(dim=(0, 1)), torch.zeros(5), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="choose from"):
        MODELS.build(dict(type="FeatureProjection", in_channels=4, kind="mlp"))
