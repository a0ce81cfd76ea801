"""Optical flow: known motions, its code of eight bits, the store, and the stacks that a network sees."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmaction.registry import METRICS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from harness.network.cost import count_cost
from harness.plan.resolve import resolve
from mtcd_plugin.formats.clip_store import ClipStore
from mtcd_plugin.formats.clip_store_writer import ClipStoreWriter
from mtcd_plugin.formats.clips import Stream
from mtcd_plugin.formats.flow_code import NO_MOTION, decode_flow, encode_flow
from mtcd_plugin.models.data_preprocessors.flow_preprocessor import FlowPreprocessor
from mtcd_plugin.models.translators.optical_flow import OpticalFlow, optical_flow
from mtcd_plugin.models.weights.starting_weights import LoadReport, fit
from mtcd_plugin.transforms.consecutive_frames import ConsecutiveFrames

torch.set_num_threads(1)
CONFIGS = Path(__file__).parents[3] / "mm_configs" / "tsn_two_stream"


def moving(motion, frames=4, size=64, brightness=1.0):
    """A smooth random pattern that moves by (x, y) pixels from frame to frame, uint8 [T, H, W, 3]."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).random((3 * size, 3 * size)), (0, 0), 2.5)
    texture = (255 * brightness * cv2.normalize(texture, None, 0, 1, cv2.NORM_MINMAX)).astype(np.float32)
    images = []
    for t in range(frames):
        move = np.float32([[1, 0, t * motion[0] - size], [0, 1, t * motion[1] - size]])
        images.append(cv2.warpAffine(texture, move, (size, size)))
    return np.repeat(np.rint(images)[..., None].astype(np.uint8), 3, axis=3)


def tensor(images):
    return torch.from_numpy(images).permute(3, 0, 1, 2)[None]


@pytest.mark.parametrize("motion", [(1.5, 0.0), (0.0, -2.0), (-1.0, 1.0)])
def test_it_finds_a_known_motion_of_every_frame(motion):
    flow = optical_flow(moving(motion))
    assert flow.shape == (4, 64, 64, 2) and flow.dtype == np.float32
    middle = np.median(flow[:, 16:-16, 16:-16].reshape(4, -1, 2), axis=1)
    np.testing.assert_allclose(middle, np.tile(motion, (4, 1)), atol=0.2)
    np.testing.assert_array_equal(flow[3], flow[2])  # the last frame has that of the one before it


def test_a_still_clip_and_a_single_frame_do_not_move():
    assert np.abs(optical_flow(moving((0, 0)))).max() < 0.05
    assert not optical_flow(moving((0, 0), frames=1)).any()


@given(st.floats(-30, 30), st.sampled_from([3.0, 5.0, 20.0]))
def test_the_code_keeps_motion_to_half_a_step_and_clips_the_rest(motion, bound):
    code = encode_flow(np.array([motion, 0.0]), bound)
    assert code.dtype == np.uint8 and code[1] == NO_MOTION
    assert decode_flow(code, bound)[0] == pytest.approx(np.clip(motion, -bound, bound), abs=bound / 254 + 1e-5)


def test_the_model_gives_each_sample_its_coded_flow():
    model, images = OpticalFlow(bound=5.0), moving((2.0, 0.0))
    samples = [ActionDataSample(), ActionDataSample()]
    out = model([tensor(images), tensor(images[::-1].copy())], samples, mode="predict")
    for sample, sign in zip(out, (1, -1), strict=True):
        code = sample.get("flow")
        assert code.shape == (1, 2, 4, 64, 64) and code.dtype == torch.uint8
        motion = decode_flow(code[0, :, :, 16:-16, 16:-16].flatten(1).numpy(), 5.0)
        np.testing.assert_allclose(np.median(motion, axis=1), (2.0 * sign, 0), atol=0.2)
    with pytest.raises(RuntimeError, match="OpticalFlow supports predict"):
        model([tensor(images)], samples, mode="loss")


def test_brightening_finds_motion_in_the_dark():
    """Four grey levels are too few; stretched to all of them they still show where it goes."""
    dark = tensor(moving((1.5, 0.0), brightness=0.03))
    found = {}
    for kind in ("none", "stretch"):
        code = OpticalFlow(bound=5.0, pre_enhance=kind)([dark], mode="tensor")[0]
        found[kind] = np.abs(decode_flow(code[0, 0, :3, 16:-16, 16:-16].numpy(), 5.0) - 1.5).mean()
    assert found["stretch"] < 0.5 * found["none"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bound": 0}, "bound=0 must be a number of pixels above 0"),
        ({"preset": "slow"}, "preset='slow' is unknown; choose from ultrafast, fast, medium"),
        ({"pre_enhance": "more"}, "pre_enhance 'more' is unknown"),
    ],
)
def test_wrong_arguments_are_one_line(arguments, words):
    with pytest.raises(ValueError, match=words):
        OpticalFlow(**arguments)


def test_the_store_holds_the_flow_and_its_measures(tmp_path):
    metric = METRICS.build(dict(type="mmaction.FlowStore", output_dir=str(tmp_path / "store"), source="key"))
    flows = np.random.default_rng(0).integers(1, 256, (2, 3, 8, 10, 2), np.uint8)
    for i, flow in enumerate(flows):
        sample = ActionDataSample(metainfo=dict(clip_id=f"c{i}"))
        sample.set_field(tensor(flow), "flow", dtype=torch.Tensor)
        metric.process({}, [sample.to_dict()])
    measured = metric.evaluate(2)
    store = ClipStore.open(tmp_path / "store")
    assert (store.modality, store.channels, store.size, store.source) == ("flow", 2, (10, 8), "key")
    assert np.array_equal(store.clip("c1"), flows[1]) and not store.verify()
    away = np.abs(flows.astype(float) - 128)
    assert measured["flow/motion"] == pytest.approx(away.mean() / 127)
    assert measured["flow/clipped"] == pytest.approx((away == 127).mean())


# ------------------------------------------------------------------ stacks


def test_stacks_are_consecutive_and_lie_within_the_clip():
    sample = {"frame_inds": {"flow": np.array([0, 3, 8])}, "clip_len": 3, "streams": {"flow": Stream("", 20, 30, 25.0)}}
    out = ConsecutiveFrames(4).transform(sample)
    np.testing.assert_array_equal(out["frame_inds"]["flow"].reshape(3, 4), [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]])
    assert out["clip_len"] == 12
    short = {"frame_inds": {"flow": np.array([1])}, "clip_len": 1, "streams": {"flow": Stream("", 0, 2, 25.0)}}
    np.testing.assert_array_equal(ConsecutiveFrames(4).transform(short)["frame_inds"]["flow"], [0, 1, 1, 1])


def test_a_network_sees_a_stack_as_channels(tmp_path):
    """From the store to the network: frame t of the store has x = 2 t and y = 2 t + 1."""
    frames = np.broadcast_to((2 * np.arange(20)[:, None, None, None] + np.arange(2)).astype(np.uint8), (20, 8, 8, 2))
    with ClipStoreWriter(tmp_path / "flow", "flow", (8, 8)) as writer:
        writer.add("clip", frames)
    init_default_scope("mmaction")
    pipeline = Compose(
        [
            dict(type="SampleClipFrames", clip_len=4, test_mode=True),
            dict(type="ConsecutiveFrames", consecutive=5),
            dict(type="LoadModalities", size=(8, 8)),
            dict(type="CenterCrop", crop_size=6),
            dict(type="SplitModalities"),
            dict(type="PackClip"),
        ]
    )
    sample = {
        "clip_id": "clip",
        "subject": "s",
        "label": 1,
        "stores": {"flow": str(tmp_path / "flow")},
        "modality": "RGB",
        "streams": {"flow": Stream("unused", 0, 20, 25.0)},
        "frame_times": {"flow": None},
    }
    packed = pipeline(sample)["inputs"]
    assert packed.shape == (1, 2, 20, 6, 6)
    for shape, axes in (("NCHW", lambda x: x[0, :, :, 0, 0]), ("NCTHW", lambda x: x[0, 0, :, :, 0, 0].T)):
        preprocess = FlowPreprocessor(consecutive=5, statistics="fixed", mean=128.0, std=32.0, format_shape=shape)
        out = axes(preprocess({"inputs": [packed]})["inputs"]) * 32 + 128
        starts = torch.tensor([2, 7, 12, 15])  # centres are 2, 7, 12, 17; the last stack ends with the clip
        torch.testing.assert_close(out, 2.0 * starts[:, None] + torch.arange(10))


def test_frames_that_are_no_stacks_are_refused():
    with pytest.raises(ValueError, match="12 frames of 2 channels are no stacks of 5"):
        FlowPreprocessor(5)({"inputs": [torch.zeros(1, 2, 12, 4, 4, dtype=torch.uint8)]})
    with pytest.raises(ValueError, match="10 frames of 3 channels"):
        FlowPreprocessor(5)({"inputs": [torch.zeros(1, 3, 10, 4, 4, dtype=torch.uint8)]})


# ------------------------------------------------------------------ the network of the configs


def recognizer(profile):
    init_default_scope("mmaction")
    return MODELS.build(copy.deepcopy(resolve(CONFIGS / "tsn_r50_nvgesture-flow.py", profile).config["model"]))


def test_parameters_at_full_size():
    """ResNet-50 (23,508,032) whose stem has ten channels in the place of three, and 25 classes."""
    with torch.device("meta"):
        model = recognizer("paper")
    assert sum(p.numel() for p in model.parameters()) == 23_508_032 + 7 * 64 * 49 + 2049 * 25 == 23_581_209


@pytest.mark.slow
def test_multiply_adds_at_full_size():
    assert count_cost(recognizer("paper"), (2, 5, 224, 224)).flops == 4_362_553_344  # of one stack


@pytest.mark.parametrize(("profile", "side"), [("smoke", 32), ("demo", 56)])
def test_a_step_changes_every_weight_and_one_clip_is_a_batch(profile, side):
    model = recognizer(profile)
    model.init_weights()
    model.train()
    before = {n: p.clone() for n, p in model.named_parameters()}
    clips = {
        "inputs": [torch.randint(0, 256, (1, 2, 80, side, side), dtype=torch.uint8) for _ in range(2)],
        "data_samples": [ActionDataSample().set_gt_label(i) for i in (0, 24)],
    }
    losses = model(**model.data_preprocessor(clips, True), mode="loss")
    model.parse_losses(losses)[0].backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert not [n for n, p in model.named_parameters() if torch.equal(p, before[n])]
    model.eval()
    one = {k: v[:1] for k, v in clips.items()}
    with torch.no_grad():
        out = model(**model.data_preprocessor(one, False), mode="predict")
    assert out[0].pred_score.shape == (25,) and out[0].pred_score.sum() == pytest.approx(1, abs=1e-5)


def test_an_rgb_stem_starts_the_flow_stem():
    """TSN: the mean over RGB for each of the ten channels; so a grey picture gives what ten equal channels give."""
    model = recognizer("demo").backbone
    state = {k: torch.randn_like(v) if v.is_floating_point() else v for k, v in model.state_dict().items()}
    rgb = torch.randn(12, 3, 7, 7)
    report = LoadReport("", "file", "")
    found = fit(model, {**state, "conv1.conv.weight": rgb}, report)
    assert report.adapted == ["conv1.conv.weight: averaged over RGB and repeated, [12, 3, 7, 7] -> [12, 10, 7, 7]"]
    assert not report.left_out
    torch.testing.assert_close(found["conv1.conv.weight"].sum(dim=1) / 10, rgb.sum(dim=1) / 3)
