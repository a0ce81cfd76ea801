"""The networks of every single-modality config: they build, learn from a batch, and give probabilities."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import copy
from functools import cache
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from harness.network.cost import count_cost
from harness.plan.resolve import resolve
from harness.suite.benchmark import load_benchmark
from harness.suite.entries import load_entries

torch.set_num_threads(1)
ROOT = Path(__file__).parents[2] / "mm_configs"
CHANNELS = {"rgb": 3, "depth": 1, "ir": 1}


@cache
def entries():
    return load_entries(ROOT, load_benchmark(ROOT / "benchmark.yml"))


SINGLE = sorted(name for name, e in entries().items() if e.stage == "single" and "+" not in e.test_modality)
JOINT = sorted(name for name, e in entries().items() if e.stage == "single" and "+" in e.test_modality)
PER_METHOD = sorted({entries()[n].method: n for n in SINGLE if n.endswith("mgr-dark-rgb")}.values())


def build(config):
    init_default_scope("mmaction")
    return MODELS.build(copy.deepcopy(config["model"]))


def clip_shape(config):
    """(C, T, H, W) of what the test pipeline gives."""
    dataset = config["test_dataloader"]["dataset"]
    transforms = {t["type"]: t for t in dataset["pipeline"]}
    side = transforms["CenterCrop"]["crop_size"]
    return CHANNELS[dataset["modalities"][0]], transforms["SampleClipFrames"]["clip_len"], side, side


def batch(config, clips):
    torch.manual_seed(0)
    inputs = [torch.randint(0, 256, (1, *clip_shape(config)), dtype=torch.uint8) for _ in range(clips)]
    classes = config["model"]["cls_head"]["num_classes"]
    return {
        "inputs": inputs,
        "data_samples": [ActionDataSample().set_gt_label(i % classes) for i in range(clips)],
    }


@pytest.mark.parametrize("name", SINGLE)
def test_learns_and_predicts_at_smoke(name):
    config = resolve(entries()[name].config, "smoke").config
    model = build(config)
    model.init_weights()
    model.train()
    losses = model(**model.data_preprocessor(batch(config, 2), True), mode="loss")
    loss, _ = model.parse_losses(losses)
    assert torch.isfinite(loss)
    loss.backward()
    without = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not without, "every weight takes part in the loss"

    model.eval()
    with torch.no_grad():
        samples = model(**model.data_preprocessor(batch(config, 3), False), mode="predict")
    scores = torch.stack([s.pred_score for s in samples])
    assert scores.shape == (3, config["model"]["cls_head"]["num_classes"])
    assert (scores >= 0).all() and torch.allclose(scores.sum(1), torch.ones(3), atol=1e-5)


@pytest.mark.parametrize("name", PER_METHOD)
def test_one_clip_predicts_as_it_does_in_a_batch(name):
    config = resolve(entries()[name].config, "demo").config
    model = build(config).eval()
    data = batch(config, 3)
    one = {k: v[1:2] for k, v in data.items()}
    with torch.no_grad():
        together = model(**model.data_preprocessor(copy.deepcopy(data), False), mode="predict")
        alone = model(**model.data_preprocessor(copy.deepcopy(one), False), mode="predict")
    assert torch.allclose(together[1].pred_score, alone[0].pred_score, atol=1e-5)


@pytest.mark.parametrize("name", SINGLE + JOINT)
def test_parameters_at_paper_scale_are_those_of_the_metafile(name):
    config = resolve(entries()[name].config, "paper").config
    # Without memory, but for Swin, which computes while it is built.
    with torch.device("cpu" if "swin" in name else "meta"):
        model = build(config)
    params = sum(p.numel() for p in model.parameters())
    assert f"{params / 1e6:.1f}M" == entries()[name].metadata["Parameters"]


# Multiply-adds that MMAction2 publishes for the same network at its own input, in 1e9 (its metafiles, v1.2.0).
PUBLISHED = {
    "i3d_r50_mgr-dark-rgb": (32, 224, 33.3),
    "tsn_r50_mgr-dark-rgb": (8, 224, 32.9),
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_multiply_adds_at_paper_scale_are_those_published(name):
    frames, side, published = PUBLISHED[name]
    with torch.device("meta"):
        model = build(resolve(entries()[name].config, "paper").config)
    cost = count_cost(model.to("meta"), (3, frames, side, side))  # where clips go, too
    assert cost.flops / 1e9 == pytest.approx(published, rel=0.02)
