"""Frames in channels, against the frames themselves."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from harness import PACKAGED_CONFIGS
from harness.plan.resolve import resolve
from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor
from mtcd_plugin.models.data_preprocessors.folding_preprocessor import FoldingPreprocessor

CLIPS = torch.randint(0, 256, (2, 3, 3, 8, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("frames", [1, 2, 4, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_frame_keeps_its_place_in_time(frames, channels):
    batch = {"inputs": CLIPS[:, :, :channels]}
    flat = ClipDataPreprocessor(remove_still=True)(batch)["inputs"]
    out = FoldingPreprocessor(frames, remove_still=True)(batch)["inputs"]
    assert out.shape == (2, 3, 3 * frames, 8 // frames, 6, 6)
    for t in range(8):
        first = 3 * (t % frames)
        assert torch.equal(out[:, :, first : first + 3, t // frames], flat[:, :, :, t])


def test_timesformer_at_demo_tells_a_clip_from_its_way_back_before_any_training():
    """Its attention starts blind to the order of frames, and its tokens are not."""
    init_default_scope("mmaction")
    torch.manual_seed(0)
    config = resolve(PACKAGED_CONFIGS / "timesformer" / "timesformer_divst_mgr-dark-rgb.py", "demo").config
    network = MODELS.build(config["model"]).eval()
    network.init_weights()
    clips = torch.randint(0, 256, (1, 1, 3, 16, 56, 56), dtype=torch.uint8)
    there, back = (
        network.extract_feat(network.data_preprocessor({"inputs": c})["inputs"])[0] for c in (clips, clips.flip(3))
    )
    assert (there - back).abs().max() > 1e-3
    turned = network.data_preprocessor({"inputs": clips})["inputs"].flip(3)  # cuboids in another order
    assert torch.allclose(network.extract_feat(turned)[0], there, atol=1e-5)


def test_other_clips_and_shapes_are_one_line():
    with pytest.raises(ValueError, match="8 frames cannot be folded by 3"):
        FoldingPreprocessor(3)({"inputs": CLIPS})
    with pytest.raises(ValueError, match="above 0"):
        FoldingPreprocessor(0)
    with pytest.raises(ValueError, match="use 'NCTHW'"):
        FoldingPreprocessor(2, format_shape="NCHW")
