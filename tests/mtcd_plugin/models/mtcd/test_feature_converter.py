"""Eq. 8-9 against loops over numbers, written from the equations and not from the module."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(f, w, temporal="time", source="cascade"):
    """The converter in plain loops on one clip f [C, T, H, W]; w: its weights as numpy arrays."""
    c, t, h, wd = f.shape
    x = np.einsum("oc,cthw->othw", w["conv.weight"][:, :, 0, 0, 0], f) + w["conv.bias"][:, None, None, None]
    looked = f if source == "input" else x
    spatial = np.zeros((t, h, wd))
    kernel = w["spatial_attention.weight"][0, :, 0]
    for ti in range(t):
        for i in range(h):
            for j in range(wd):
                total = w["spatial_attention.bias"][0]
                for di in (-1, 0, 1):
                    for dj in (-1, 0, 1):
                        if 0 <= i + di < h and 0 <= j + dj < wd:
                            total += (kernel[:, di + 1, dj + 1] * looked[:, ti, i + di, j + dj]).sum()
                spatial[ti, i, j] = sigmoid(total)
    y = f + x * spatial
    pooled = (f if source == "input" else y).mean(axis=(2, 3))  # [C, T]
    if temporal == "channel":
        pooled = pooled.mean(axis=1, keepdims=True)
    out = w["temporal_attention.bias"][:, None] * np.ones((1, pooled.shape[1]))
    for ti in range(pooled.shape[1]):
        for dt in (-1, 0, 1):
            if 0 <= ti + dt < pooled.shape[1]:
                out[:, ti] += w["temporal_attention.weight"][:, :, dt + 1] @ pooled[:, ti + dt]
    return f + y * sigmoid(out)[:, :, None, None]


@pytest.mark.parametrize("temporal", ["time", "channel", "time_channel"])
@pytest.mark.parametrize("source", ["cascade", "input"])
def test_equals_the_equations(temporal, source):
    torch.manual_seed(0)
    neck = MODELS.build(dict(type="FeatureConverter", in_channels=3, temporal=temporal, source=source)).double()
    f = torch.randn(2, 3, 4, 3, 5, dtype=torch.float64)
    out, losses = neck(f)
    w = {k: v.detach().numpy() for k, v in neck.named_parameters()}
    assert losses == {} and out.shape == f.shape
    for clip, result in zip(f.numpy(), out.detach().numpy(), strict=True):
        np.testing.assert_allclose(result, by_hand(clip, w, temporal, source), atol=1e-12)


def test_one_number_by_hand():
    """C = T = H = W = 1, Conv = 2x, both attentions sigmoid(0) = 1/2: X = 2, Y = 1 + 1 = 2, F~ = 1 + 1 = 2."""
    neck = MODELS.build(dict(type="FeatureConverter", in_channels=1))
    with torch.no_grad():
        for p in neck.parameters():
            p.zero_()
        neck.conv.weight.fill_(2.0)
    assert neck(torch.ones(1, 1, 1, 1, 1))[0].item() == 2.0


def test_gradients_by_finite_differences():
    torch.manual_seed(1)
    neck = MODELS.build(dict(type="FeatureConverter", in_channels=2)).double()
    f = torch.randn(1, 2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: neck(x)[0], (f,))
    assert torch.autograd.gradcheck(
        lambda w: torch.func.functional_call(neck, {"conv.weight": w}, (f.detach(),))[0], (neck.conv.weight,)
    )


def test_temporal_attention_sees_the_neighbouring_frames_only():
    torch.manual_seed(2)
    neck = MODELS.build(dict(type="FeatureConverter", in_channels=2))
    f = torch.randn(1, 2, 6, 3, 3)
    changed = f.clone()
    changed[:, :, 0] += 1
    moved = (neck(f)[0] - neck(changed)[0]).abs().amax(dim=(0, 1, 3, 4)) > 0
    assert moved.tolist() == [True, True, False, False, False, False]


@pytest.mark.parametrize("option", [dict(temporal="space"), dict(source="x"), dict(spatial_kernel=2)])
def test_bad_options(option):
    with pytest.raises(ValueError, match="FeatureConverter"):
        MODELS.build(dict(type="FeatureConverter", in_channels=2, **option))
