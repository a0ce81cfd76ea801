"""The blocks that Decouple & Recouple and UMDR share, against closed forms and counts made by hand."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import pytest
import torch
import torch.nn.functional as F

from mtcd_plugin.models.backbones.frame_stem import frame_stem
from mtcd_plugin.models.backbones.knn_transformer import KnnTransformerLayer, knn_attention
from mtcd_plugin.models.backbones.temporal_branch import TemporalBranch, pick_segments

torch.set_num_threads(1)


def count(module):
    return sum(p.numel() for p in module.parameters())


def small(**kwargs):
    return TemporalBranch(4, channels=32, depth=3, heads=2, head_channels=8, hidden=24, **kwargs)


def test_the_stem_has_the_parameters_of_the_table_and_keeps_every_frame():
    stem = frame_stem()
    assert [count(m) for m in stem if count(m)] == [9_536, 4_224, 110_976]
    with torch.no_grad():
        assert stem(torch.randn(1, 3, 2, 56, 56)).shape == (1, 192, 2, 7, 7)


def test_the_stem_mixes_no_frames():
    torch.manual_seed(0)
    stem, x = frame_stem(base_channels=4).eval(), torch.randn(2, 3, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(stem(x)[:, :, 2:3], stem(x[:, :, 2:3]))


@pytest.mark.parametrize("heads", [1, 4])
def test_attention_that_keeps_all_keys_is_softmax_attention(heads):
    torch.manual_seed(0)
    q, k, v = torch.randn(2, 5, 8), torch.randn(2, 7, 8), torch.randn(2, 7, 8)
    split = [torch.stack(x.chunk(heads, dim=-1), dim=1) for x in (q, k, v)]
    expected = torch.cat(F.scaled_dot_product_attention(*split).unbind(1), dim=-1)
    torch.testing.assert_close(knn_attention(q, k, v, heads, keep=1.0), expected)
    assert not torch.allclose(knn_attention(q, k, v, heads), expected)


@pytest.mark.parametrize(("keys", "kept"), [(5, 3), (9, 6), (13, 9), (17, 11), (33, 23), (49, 34), (1, 1)])
def test_attention_keeps_the_largest_seven_tenths(keys, kept):
    torch.manual_seed(0)
    q, k = torch.randn(2, 6, keys), torch.randn(2, keys, keys)
    weights = knn_attention(q, k, torch.eye(keys).expand(2, -1, -1), heads=1)  # the values are the unit vectors
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6))
    assert ((weights > 0).sum(-1) == kept).all()
    scores = q @ k.transpose(1, 2)
    least_kept = scores.where(weights > 0, torch.inf).amin(-1)
    assert (least_kept >= scores.where(weights == 0, -torch.inf).amax(-1)).all()


def test_a_layer_without_its_last_weights_is_the_identity():
    layer, x = KnnTransformerLayer(16, 2, 8, 24).eval(), torch.randn(2, 5, 16)
    for last in (layer.projection[0], layer.mlp[3]):
        torch.nn.init.zeros_(last.weight), torch.nn.init.zeros_(last.bias)
    assert torch.equal(layer(x), x)


def segments(n, m):
    return [range(int(n * i / m), max(int(n * i / m) + 1, int(n * (i + 1) / m))) for i in range(m)]


@pytest.mark.parametrize(("frames", "picked"), [(64, 16), (64, 32), (64, 48), (32, 24), (16, 12), (16, 24), (7, 3)])
def test_one_frame_of_every_segment(frames, picked):
    found = segments(frames, picked)
    assert pick_segments(frames, picked, training=False).tolist() == [int(sum(s) / len(s)) for s in found]
    torch.manual_seed(0)
    drawn = torch.stack([pick_segments(frames, picked, training=True) for _ in range(200)]).T
    assert [sorted(set(row.tolist())) for row in drawn] == [list(s) for s in found]


def test_a_branch_has_the_parameters_counted_by_hand():
    with torch.device("meta"):
        counts = [count(TemporalBranch(n)) for n in (16, 32, 48)]
        umdr = [count(TemporalBranch(n, kernel=k)) for n, k in ((16, 4), (32, 5), (48, 6))]
    layers = 6 * 1_838_848
    assert counts == [265_488 + layers + (n + 2) * 512 for n in (16, 32, 48)]
    taps = 112 * 224 + 24 * 64
    assert [b - a for a, b in zip(counts, umdr, strict=True)] == [taps, 2 * taps, 3 * taps]


def test_positions_before_or_after_the_convolutions():
    """With a dead Inception block frames are lost; positions that are added before it are lost with them."""
    torch.manual_seed(0)
    x = torch.randn(2, 8, 32)
    for first, alike in ((True, True), (False, False)):
        branch = small(positions_first=first, keep=1.0).eval()
        for unit in (m for m in branch.modules() if isinstance(m, torch.nn.BatchNorm3d)):
            torch.nn.init.zeros_(unit.weight)
        with torch.no_grad():
            before = branch(x)[-1]
            branch.positions[:, 1:] += torch.randn(4, 32)
            assert torch.equal(before, branch(x)[-1]) == alike
            branch.positions[:, :1] += torch.randn(1, 32)
            assert not torch.allclose(before, branch(x)[-1])


def test_the_tokens_after_every_layer():
    torch.manual_seed(0)
    branch, x = small().eval(), torch.randn(3, 8, 32)
    with torch.no_grad():
        tokens, alone = branch(x), branch(x[:1])
        torch.nn.init.zeros_(branch.layers[2].projection[0].weight)
        changed = branch(x)
    assert [t.shape for t in tokens] == [(3, 32)] * 3
    torch.testing.assert_close(tokens[2][:1], alone[2])
    assert torch.equal(changed[1], tokens[1]) and not torch.equal(changed[2], tokens[2])


def test_training_draws_frames_and_testing_does_not():
    torch.manual_seed(0)
    branch, x = small(dropout=0.0), torch.randn(2, 16, 32)
    for module in branch.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.eval()
    with torch.no_grad():
        assert not torch.equal(branch(x)[-1], branch(x)[-1])
        branch.eval()
        assert torch.equal(branch(x)[-1], branch(x)[-1])
        seen = x[:, [1, 5, 9, 13]]
        torch.testing.assert_close(branch(x)[-1], branch(seen)[-1])


def test_a_width_that_the_branch_cannot_have_is_one_line():
    with pytest.raises(ValueError, match="channels=40 .* multiple of 32"):
        TemporalBranch(4, channels=40)
