"""Decouple & Recouple's network: motion maps, gates, counts, against plain loops and closed forms."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import math

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mtcd_plugin.models.backbones.decouple_recouple import DecoupleRecouple
from mtcd_plugin.models.backbones.rank_pooling import MotionGuidance, motion_maps
from mtcd_plugin.models.backbones.recoupling import Recoupling

torch.set_num_threads(1)

TINY = dict(base_channels=2, channels=32, depth=2, heads=1, head_channels=8, hidden=16)


def count(module):
    return sum(p.numel() for p in module.parameters())


# ---------------------------------------------------------------------- motion maps


def scaled(x):
    x = x - x.min()
    return x / (x.max() or 1e-5)


def map_by_hand(window):
    """The map of one window ``[w, 3, H, W]``, pixel by pixel."""
    n = len(window)
    pooled = sum((2 * k - n - 1) * frame for k, frame in enumerate(window, start=1))
    dynamic = np.tensordot([0.2989, 0.587, 0.114], scaled(np.maximum(pooled, 0)), 1)
    high = np.where(dynamic > dynamic.mean(), dynamic, 0)
    height, width = high.shape

    def windowed(x, extreme, reach):
        rows = [[x[max(i - reach[0], 0) : i + reach[1] + 1, max(j - reach[0], 0) : j + reach[1] + 1] for j in range(width)] for i in range(height)]  # fmt: skip  # noqa: E501
        return np.array([[extreme(square) for square in row] for row in rows])

    static = scaled(windowed(windowed(high, np.min, (1, 0)), np.max, (1, 1)))
    return (dynamic + static) * static


@pytest.mark.parametrize("window", [4, 5, 10])
def test_maps_are_those_made_by_hand(window):
    torch.manual_seed(0)
    clip = torch.randn(2, 3, 11, 7, 9)
    found = motion_maps(clip, window)
    assert found.shape == (2, 1, 11, 7, 9)
    assert not found[:, :, : window - 1].any() and found.min() >= 0 and found.max() <= 2
    for n in range(2):
        frames = clip[n].transpose(0, 1).double().numpy()
        for t in range(window - 1, 11):
            expected = map_by_hand(frames[t - window + 1 : t + 1])
            np.testing.assert_allclose(found[n, 0, t], expected, atol=1e-5)


def test_a_still_clip_moves_nowhere():
    torch.manual_seed(0)
    still = torch.randn(1, 3, 1, 6, 6).expand(-1, -1, 12, -1, -1)
    for window in (4, 5, 10):
        assert not motion_maps(still, window).any()


def test_maps_do_not_change_with_contrast_and_brightness():
    torch.manual_seed(0)
    clip = torch.randint(0, 256, (1, 3, 8, 12, 12)).float()
    for scale, offset in ((4.0, 16.0), (0.5, -1.0)):
        torch.testing.assert_close(motion_maps(scale * clip + offset, 4), motion_maps(clip, 4))
    torch.testing.assert_close(motion_maps((clip - 127.5) / 128, 4), motion_maps(clip, 4), atol=1e-4, rtol=0)


def test_a_map_is_of_the_frames_before_it():
    torch.manual_seed(0)
    clip = torch.randn(1, 3, 10, 8, 8)
    later = clip.clone()
    later[:, :, 7:] = torch.randn(1, 3, 3, 8, 8)
    before, after = motion_maps(clip, 4), motion_maps(later, 4)
    assert torch.equal(before[:, :, :7], after[:, :, :7]) and not torch.equal(before[:, :, 7], after[:, :, 7])
    assert not motion_maps(clip[:, :, :3], 4).any(), "shorter than the window"


def test_guidance_doubles_at_first_and_adds_the_largest_of_the_map():
    torch.manual_seed(0)
    guide, x, maps = MotionGuidance(), torch.randn(2, 5, 3, 4, 4), torch.rand(2, 1, 3, 8, 8)
    assert torch.equal(guide(x, maps), 2 * x)
    with torch.no_grad():
        guide.weight.copy_(torch.tensor([0.0, 1.0]))
    largest = maps.unflatten(4, (4, 2)).unflatten(3, (4, 2)).amax((4, 6))
    torch.testing.assert_close(guide(x, maps), x + x * (1 + largest))
    guide(x, maps).square().sum().backward()
    assert (guide.weight.grad != 0).all()


# ---------------------------------------------------------------------- gates


def test_gates_are_those_of_the_formula():
    torch.manual_seed(0)
    module, x = Recoupling(8, 32, hidden=6, head_channels=4), torch.randn(3, 8, 32)
    out, vector = module(x)
    first, _, second, norm, _ = module.time_gate
    z = x.transpose(1, 2)
    squeezed = torch.nn.functional.gelu(z.mean(1) @ first.weight.T) @ second.weight.T
    u = (norm.weight * (squeezed - squeezed.mean(1, keepdim=True))).div(
        (squeezed.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    ).add(norm.bias).sigmoid()  # fmt: skip
    q, k = z @ module.query.weight.T, z @ module.key.weight.T
    y = (q @ k.transpose(1, 2) / math.sqrt(4)).mean(1).sigmoid()
    torch.testing.assert_close(out, (z * y[:, :, None] * u[:, None]).transpose(1, 2))
    torch.testing.assert_close(vector, u @ module.vector.weight.T + module.vector.bias)


def test_equal_channels_have_equal_gates():
    torch.manual_seed(0)
    out, _ = Recoupling(8, 32)(torch.randn(2, 8, 1).expand(-1, -1, 32))
    torch.testing.assert_close(out, out[:, :, :1].expand_as(out))


def test_one_clip_keeps_its_axis():
    out, vector = Recoupling(8, 32)(torch.randn(1, 8, 32))
    assert (out.shape, vector.shape) == ((1, 8, 32), (1, 32))


# ---------------------------------------------------------------------- the network


def test_parameters_at_full_size():
    heads = 3 * 13_849  # class layers for 25 classes, which are the head's
    with torch.device("meta"):
        for frames, whole in ((64, 38_142_957), (32, 38_081_453), (16, 38_050_701)):
            assert count(DecoupleRecouple(frames)) == whole - heads
        network = DecoupleRecouple(64)
        assert count(DecoupleRecouple(64, window=0)) == whole_at_64(network) - 2
    spatial = [count(m) for m in (*network.spatial.stem, *network.spatial.blocks) if count(m)]
    assert spatial == [9_536, 4_224, 110_976, 155_872, 340_224, 364_512, 425_232, 794_624, 1_347_040]
    assert (count(network.spatial.linear), count(network.spatial.guidance)) == (526_848, 2)
    assert count(network.recoupling) == 74_368
    assert count(network.branches) == 33_895_728 + 52_224


def whole_at_64(network):
    assert (count(network)) == 38_101_410
    return count(network)


def test_multiply_adds_at_full_size():
    with torch.device("meta"):
        network, clip = DecoupleRecouple(64).eval(), torch.empty(1, 3, 64, 224, 224)
        with FlopCounterMode(display=False) as counter:
            features = network.frame_features(clip)
            over_space = counter.get_total_flops() // 2
            network.temporal(features)
    # The authors weigh by the maps with a convolution of two values, which counts.
    weighed = 64 * (256 * 28**2 + 512 * 14**2 + 832 * 7**2)
    assert over_space == 72_016_044_032 - 2 * weighed
    # Scores of 512 x 512 channels are not made, only their mean; the class layers are the head's.
    over_time = 1_159_650_816 - (512 * 512 * 64 - 512 * 64) - 3 * 512 * 25
    assert counter.get_total_flops() // 2 - over_space == over_time


def test_parameters_are_registered_in_the_order_of_the_paper():
    with torch.device("meta"):
        names = [n for n, _ in DecoupleRecouple(64).named_parameters()]
    convs = [n.split(".")[2] for n in names if n.startswith(("spatial.stem", "spatial.blocks")) and ".conv." in n]
    assert list(dict.fromkeys(convs)) == ["conv1", "conv2b", "conv2c", *(f"inception_{b}" for b in ("3b", "3c", "4b", "4c", "5b", "5c"))]  # fmt: skip  # noqa: E501
    parts = [".".join(n.split(".")[: 3 if n.startswith("branches") else 2]) for n in names]
    branch = ["token", "positions", "inception", "layers"]
    assert list(dict.fromkeys(parts)) == [
        *(f"spatial.{p}" for p in ("stem", "blocks", "linear", "guidance")),
        *(f"recoupling.{p}" for p in ("time_gate", "query", "key", "vector")),
        *(f"branches.{i}.{p}" for i in range(3) for p in branch),
    ]  # fmt: skip


@pytest.mark.parametrize(("frames", "seen"), [(64, [16, 32, 48]), (32, [8, 16, 24]), (16, [4, 8, 12])])
def test_branches_see_a_quarter_half_and_three_quarters(frames, seen):
    assert [b.frames for b in DecoupleRecouple(frames, **TINY).branches] == seen


@pytest.mark.parametrize("size", [(16, 56, 56), (16, 32, 32), (4, 33, 47)])
def test_a_batch_of_one_gives_the_same(size):
    torch.manual_seed(0)
    network, clips = DecoupleRecouple(size[0], **TINY).eval(), torch.randn(2, 3, *size)
    with torch.no_grad():
        (tokens, vector), (token, alone) = network(clips), network(clips[1:])
    assert (tokens.shape, vector.shape) == ((2, 3, 32), (2, 32))
    torch.testing.assert_close(tokens[1:], token, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(vector[1:], alone, atol=1e-4, rtol=1e-4)


def test_poolings_inside_the_blocks_mix_neighbouring_frames_and_nothing_else_does():
    """Six blocks, each reaching one frame further."""
    torch.manual_seed(0)
    network, clip = DecoupleRecouple(16, window=0, **TINY).eval(), torch.randn(1, 3, 16, 32, 32)
    other = clip.clone()
    other[:, :, 15] = 5 * torch.randn(3, 32, 32)
    with torch.no_grad():
        changed = (network.frame_features(clip) != network.frame_features(other)).any(-1)[0]
    assert not changed[:9].any() and changed[15] and changed[9:15].any()


def test_motion_reaches_the_features_once_its_weight_is_not_zero():
    torch.manual_seed(0)
    network, clip = DecoupleRecouple(16, **TINY).eval(), torch.randn(1, 3, 16, 32, 32)
    with torch.no_grad():
        before = network.frame_features(clip)
        network.spatial.guidance.weight[1] = 0.5
        assert not torch.allclose(before, network.frame_features(clip))


def test_wrong_lengths_are_one_line():
    with pytest.raises(ValueError, match="built for 16 frames, the clip has 8"):
        DecoupleRecouple(16, **TINY)(torch.randn(1, 3, 8, 32, 32))
    with pytest.raises(ValueError, match="frames=3 of DecoupleRecouple must be 4 or more"):
        DecoupleRecouple(3)
    with pytest.raises(ValueError, match="window=1 .* 0 for no guidance"):
        DecoupleRecouple(16, window=1)


def test_the_momentum_of_all_norms():
    for given, expected in (({}, 0.01), (dict(norm_momentum=0.1), 0.1)):
        norms = [m for m in DecoupleRecouple(16, **TINY, **given).modules() if isinstance(m, torch.nn.BatchNorm3d)]
        assert len(norms) == 3 + 9 * 6 and {m.momentum for m in norms} == {expected}
