import numpy as np
import pytest
import torch

import mtcd_plugin.register  # noqa: F401
from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor


def clips(count=2, views=1, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    shape = (views, channels, 4, 6, 5)
    return [torch.from_numpy(rng.integers(0, 200, shape, np.uint8) // (n + 1)) for n in range(count)]


def inputs(preprocessor, value):
    return preprocessor({"inputs": value, "data_samples": ["kept"]})["inputs"]


def test_each_clip_has_zero_mean_and_unit_deviation_whatever_its_brightness():
    out = inputs(ClipDataPreprocessor(), clips()).numpy().astype(np.float64)
    assert out.shape == (2, 1, 3, 4, 6, 5)
    for clip, source in zip(out, clips(), strict=True):
        reference = source.numpy().astype(np.float64)
        np.testing.assert_allclose(clip, (reference - reference.mean()) / reference.std(), atol=1e-5)


def test_what_does_not_move_is_removed_before_a_clip_is_standardised():
    out = inputs(ClipDataPreprocessor(remove_still=True), clips()).numpy().astype(np.float64)
    for clip, source in zip(out, clips(), strict=True):
        reference = source.numpy().astype(np.float64)
        reference -= reference.mean(axis=2, keepdims=True)
        np.testing.assert_allclose(clip, reference / reference.std(), atol=1e-4)
    still = torch.randint(0, 255, (1, 3, 1, 6, 5), dtype=torch.uint8).expand(1, 3, 4, 6, 5)
    assert inputs(ClipDataPreprocessor(remove_still=True), [still]).abs().max() < 1e-2


def test_what_does_not_move_is_removed_from_the_modalities_that_are_listed():
    plain, moving, listed = (ClipDataPreprocessor(remove_still=x) for x in (False, True, ["rgb"]))
    both = inputs(listed, {"rgb": clips(), "ir": clips(channels=1)})
    assert torch.equal(both["rgb"], inputs(moving, clips()))
    assert torch.equal(both["ir"], inputs(plain, clips(channels=1)))
    assert torch.equal(inputs(listed, clips()), both["rgb"])  # as at test, where there is one modality


def test_grey_is_replicated_and_a_constant_clip_is_zero():
    out = inputs(ClipDataPreprocessor(), clips(channels=1))
    assert out.shape == (2, 1, 3, 4, 6, 5) and out.is_contiguous()
    assert torch.equal(out[:, :, 0], out[:, :, 2])
    assert not inputs(ClipDataPreprocessor(), [torch.full((1, 1, 2, 3, 3), 7, dtype=torch.uint8)]).any()


def test_fixed_statistics_per_channel_and_per_modality():
    mean, std = [100.0, 110.0, 120.0], [50.0, 60.0, 70.0]
    out = inputs(ClipDataPreprocessor("fixed", mean, std), clips())
    for channel in range(3):
        expected = (clips()[1][:, channel].float() - mean[channel]) / std[channel]
        torch.testing.assert_close(out[1][:, channel], expected)
    both = ClipDataPreprocessor("fixed", dict(rgb=mean, ir=10.0), dict(rgb=std, ir=2.0))
    out = inputs(both, {"rgb": clips(), "ir": clips(channels=1)})
    torch.testing.assert_close(out["ir"][0, :, 1], (clips(channels=1)[0][:, 0].float() - 10) / 2)
    with pytest.raises(ValueError, match="no fixed statistics for modality 'depth'; given: rgb, ir"):
        inputs(both, {"depth": clips(channels=1)})


def test_frames_for_a_2d_recognizer_are_in_order_view_after_view():
    keep = ClipDataPreprocessor()
    frames = inputs(ClipDataPreprocessor(format_shape="NCHW"), clips(views=2))
    volume = inputs(keep, clips(views=2))
    assert frames.shape == (2, 8, 3, 6, 5) and frames.is_contiguous()
    torch.testing.assert_close(frames[1, 5], volume[1, 1, :, 1])


def test_dicts_stay_dicts_and_stacked_batches_are_taken():
    data = {"inputs": {"rgb": clips(), "ir": clips(channels=1)}, "data_samples": ["kept"]}
    out = ClipDataPreprocessor()(data, training=True)
    assert set(out["inputs"]) == {"rgb", "ir"} and out["data_samples"] == ["kept"]
    assert isinstance(data["inputs"]["rgb"], list)  # the caller's batch is not changed
    torch.testing.assert_close(inputs(ClipDataPreprocessor(), torch.stack(clips())), out["inputs"]["rgb"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(statistics="batch"), "choose from clip, fixed"),
        (dict(format_shape="NTCHW"), "choose from NCTHW, NCHW"),
        (dict(statistics="fixed"), "mean and std must be given"),
        (dict(mean=0, std=1), "mean and std must be given"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClipDataPreprocessor(**arguments)
