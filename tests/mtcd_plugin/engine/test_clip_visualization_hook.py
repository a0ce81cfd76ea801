"""Frames as ``--show-dir`` draws them."""

import numpy as np
import pytest
import torch

from mtcd_plugin.engine.hooks.clip_visualization_hook import frames


def test_modalities_stand_side_by_side_at_one_height():
    rgb = torch.arange(2 * 3 * 4 * 6 * 5, dtype=torch.uint8).reshape(2, 3, 4, 6, 5)  # [crops, C, T, H, W]
    depth = torch.full((1, 1, 4, 3, 2), 7, dtype=torch.uint8)
    found = frames({"rgb": rgb, "depth": depth})
    assert len(found) == 4 and {f.shape for f in found} == {(6, 5 + 4, 3)}
    for t in range(4):
        np.testing.assert_array_equal(found[t][:, :5], rgb[0, :, t].permute(1, 2, 0))
        assert (found[t][:, 5:] == 7).all()


def test_what_is_no_clip_is_refused():
    with pytest.raises(ValueError, match=r"draws clips.*\[3, 8, 8\]"):
        frames({"": torch.zeros(3, 8, 8)})
