"""Eq. 1-4 and the translator's losses against loops in numpy."""

import numpy as np
import pytest
import torch

from mtcd_plugin.models.translators.losses import (
    batch_hard_triplet,
    hardest_pairs,
    least_squares,
    pairwise_distances,
    relation_consistency,
)

LABELS = [0, 0, 0, 1, 1, 2]  # identity 2 has one sample: it has no positive


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(6, 4))


def hard(x, y):
    """(anchor, hardest positive, hardest negative) by loops."""
    d = [[np.sqrt(((a - b) ** 2).sum()) for b in x] for a in x]
    out = []
    for i in range(len(x)):
        positives = [j for j in range(len(x)) if y[j] == y[i] and j != i]
        negatives = [j for j in range(len(x)) if y[j] != y[i]]
        if positives and negatives:
            out.append((i, max(positives, key=lambda j: d[i][j]), min(negatives, key=lambda j: d[i][j])))
    return d, out


def test_distances_and_hardest_pairs(features):
    d, triplets = hard(features, LABELS)
    ours = pairwise_distances(torch.tensor(features))
    np.testing.assert_allclose(ours + torch.eye(6), np.array(d) + np.eye(6), rtol=1e-6, atol=1e-5)
    positive, negative, anchors = hardest_pairs(ours, torch.tensor(LABELS))
    assert list(zip(anchors.tolist(), positive.tolist(), negative.tolist(), strict=True)) == triplets


@pytest.mark.parametrize("margin", [0.0, 0.3, 5.0])
def test_triplet(features, margin):
    d, triplets = hard(features, LABELS)
    gaps = np.array([d[i][p] - d[i][n] for i, p, n in triplets])
    got = batch_hard_triplet(torch.tensor(features), torch.tensor(LABELS), margin)
    assert got.item() == pytest.approx(np.maximum(gaps + margin, 0).mean(), rel=1e-9)
    soft = batch_hard_triplet(torch.tensor(features), torch.tensor(LABELS), soft=True)
    assert soft.item() == pytest.approx(np.log1p(np.exp(gaps)).mean(), rel=1e-9)


def test_triplet_by_hand():
    """On a line: 0, 3 | 4: anchors 0 and 3 (positives of each other) with negative 4.

    [3 - 4 + 0.5]_+ = 0 and [3 - 1 + 0.5]_+ = 2.5, mean 1.25.
    """
    x = torch.tensor([[0.0], [3.0], [4.0]])
    assert batch_hard_triplet(x, torch.tensor([0, 0, 1]), 0.5).item() == pytest.approx(1.25)


def test_one_identity_gives_zero_with_a_gradient():
    x = torch.randn(3, 2, requires_grad=True)
    loss = batch_hard_triplet(x, torch.tensor([1, 1, 1]))
    loss.backward()
    assert loss.item() == 0 and torch.equal(x.grad, torch.zeros(3, 2))


def test_equal_features_have_a_finite_gradient():
    x = torch.ones(4, 2, requires_grad=True)
    batch_hard_triplet(x, torch.tensor([0, 0, 1, 1])).backward()
    assert torch.isfinite(x.grad).all()


def test_relation_consistency(features):
    original = np.random.default_rng(1).normal(size=(6, 3))
    d, triplets = hard(features, LABELS)
    e, _ = hard(original, LABELS)
    total = 0.0
    for i, p, n in triplets:
        ours, theirs = np.array([d[i][p], d[i][n]]), np.array([e[i][p], e[i][n]])
        target = np.exp(theirs) / np.exp(theirs).sum()
        total -= (target * (ours - np.log(np.exp(ours).sum()))).sum()
    got = relation_consistency(torch.tensor(features), torch.tensor(original), torch.tensor(LABELS))
    assert got.item() == pytest.approx(total / len(triplets), rel=1e-9)


def test_relation_consistency_moves_the_translated_side_only(features):
    translated, original = (
        torch.tensor(features, requires_grad=True),
        torch.tensor(features, requires_grad=True),
    )
    relation_consistency(translated, original, torch.tensor(LABELS)).backward()
    assert original.grad is None and translated.grad is not None


def test_gradients(features):
    labels = torch.tensor(LABELS)
    x = torch.tensor(features, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: batch_hard_triplet(f, labels, 5.0), (x,))
    y = torch.tensor(np.random.default_rng(2).normal(size=(6, 4)))
    assert torch.autograd.gradcheck(lambda f: relation_consistency(f, y, labels), (x,))


def test_least_squares():
    scores = torch.tensor([0.0, 2.0])
    assert least_squares(scores, True).item() == 1.0 and least_squares(scores, False).item() == 2.0
