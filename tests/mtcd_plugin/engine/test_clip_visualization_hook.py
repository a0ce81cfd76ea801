"""Frames as ``--show-dir`` draws them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmaction.visualization import ActionVisualizer

from mtcd_plugin.engine.hooks.clip_visualization_hook import ClipVisualizationHook, frames


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


@pytest.fixture(scope="module")
def visualizer():
    """The hook takes the current one; an epoch's pictures are noted in ``drawn`` instead."""
    ActionVisualizer.get_instance("pictures", vis_backends=[])
    return SimpleNamespace(dataset_meta={"classes": ["come here", "stop"]}, drawn=[])


def test_every_second_clip_of_an_epoch_is_drawn_over_its_batches(visualizer, tmp_path):
    hook = ClipVisualizationHook(enable=True, interval=2, out_dir=str(tmp_path), wait_time=0.5)
    hook._visualizer = visualizer
    visualizer.add_datasample = lambda name, images, sample, **given: visualizer.drawn.append(
        (name, len(images), given)
    )
    clips = torch.zeros(5, 1, 3, 4, 6, 6, dtype=torch.uint8)
    samples = [ActionDataSample(metainfo=dict(clip_id=f"s1/{i}")) for i in range(5)]
    for sample in samples:
        sample.set_gt_label(0).set_pred_score(torch.tensor([0.2, 0.8]))
    expected = [f"s1_{i}_come_here_as_stop" for i in (0, 2, 4)]
    for _ in range(2):  # a second epoch begins anew
        visualizer.drawn.clear()
        hook.before_test_epoch(None)
        for batch_idx, part in enumerate((slice(0, 3), slice(3, 5))):
            hook.after_test_iter(None, batch_idx, {"inputs": list(clips[part])}, samples[part])
        assert [name for name, *_ in visualizer.drawn] == expected
    for name, length, given in visualizer.drawn:
        assert length == 4
        assert given == dict(show_frames=False, wait_time=0.5, out_path=f"{tmp_path}/{name}", step=0)


def test_without_a_request_nothing_is_drawn(visualizer):
    hook = ClipVisualizationHook()
    hook._visualizer = None
    hook.after_test_iter(None, 0, {"inputs": [torch.zeros(1, 3, 4, 6, 6)]}, [ActionDataSample()])
