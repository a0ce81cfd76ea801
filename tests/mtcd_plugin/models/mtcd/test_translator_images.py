"""Augmentation of the translator's images."""

import numpy as np
import torch

from mtcd_plugin.models.translators.images import flip_pad_crop


def test_flip_pad_and_crop():
    """Every result is one of the (2 * pad + 1)^2 crops of the padded image or its mirror,
    the same for all frames and streams.
    """
    torch.manual_seed(0)
    clips = torch.rand(40, 2, 3, 4, 6) + 0.1
    out, double = flip_pad_crop([clips, 2 * clips], flip_prob=0.5, pad=2)
    assert torch.equal(double, 2 * out)
    seen = []
    for clip, padded in zip(out, torch.nn.functional.pad(clips, (2, 2, 2, 2)), strict=True):
        crops = {(y, x): padded[..., y : y + 4, x : x + 6] for y in range(5) for x in range(5)}
        found = [(False, *at) for at, crop in crops.items() if torch.equal(clip, crop)]
        found += [(True, *at) for at, crop in crops.items() if torch.equal(clip, crop.flip(3))]
        assert len(found) == 1
        seen += found
    assert 0.25 < np.mean([flipped for flipped, _, _ in seen]) < 0.75
    assert {y for _, y, _ in seen} == {x for _, _, x in seen} == set(range(5))


def test_without_padding_and_without_or_with_flip():
    clips = torch.rand(3, 2, 3, 4, 6)
    assert torch.equal(flip_pad_crop([clips], flip_prob=0.0, pad=0)[0], clips)
    assert torch.equal(flip_pad_crop([clips], flip_prob=1.0, pad=0)[0], clips.flip(4))
