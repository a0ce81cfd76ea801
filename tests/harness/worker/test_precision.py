"""Precision and memory format of a job: what is computed stays what it was."""

import pytest
import torch
from torch import nn

from harness.system.precision import Precision
from harness.worker.precision import chosen_precision, use_channels_last
from harness.worker.runner import starved

CLASSIFIES = {"test_evaluator": [{"type": "ClipPredictions"}]}


def test_what_predicts_no_classes_is_computed_in_float32():
    assert chosen_precision("bf16", False, CLASSIFIES) is Precision.BF16
    assert chosen_precision("bf16", False, {"test_evaluator": [{"type": "PseudoInfraredStore"}]}) is Precision.FP32
    assert chosen_precision("bf16", True, {}) is Precision.FP32


def test_auto_is_float32_on_a_cpu():
    assert chosen_precision("auto", False, CLASSIFIES) is Precision.FP32


def test_channels_last_changes_the_layout_and_nothing_else():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv3d(3, 4, 3, padding=1, bias=False), nn.BatchNorm3d(4), nn.ReLU(), nn.Conv3d(4, 2, 1))
    clip = torch.randn(2, 3, 4, 8, 8)
    before = model(clip)
    parameters = [id(p) for p in model.parameters()]
    weights = [p.detach().clone() for p in model.parameters()]

    use_channels_last(model)

    assert [id(p) for p in model.parameters()] == parameters  # what an optimizer or a checkpoint knows
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last_3d) and not model[0].weight.is_contiguous()
    assert all(torch.equal(p, w) for p, w in zip(model.parameters(), weights, strict=True))
    torch.testing.assert_close(model(clip), before)


def test_channels_last_is_for_networks_of_frames_as_well():
    layer = nn.Conv2d(3, 4, 3)
    use_channels_last(layer)
    assert layer.weight.is_contiguous(memory_format=torch.channels_last) and not layer.weight.is_contiguous()


@pytest.mark.parametrize("layer", [nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3, stride=2)])
def test_inputs_are_laid_out_once_for_both_passes(layer):
    use_channels_last(layer)
    clip = torch.randn(2, 3, *(6, 8, 8)[-len(layer.kernel_size) :])
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        out = layer(clip)
    memory_format = torch.channels_last if clip.dim() == 4 else torch.channels_last_3d
    saved = [x for x in kept if x.shape == clip.shape]
    assert saved and all(x.is_contiguous(memory_format=memory_format) for x in saved)
    torch.testing.assert_close(out, layer._conv_forward(clip, layer.weight, layer.bias), rtol=0, atol=0)


def test_narrow_strided_convolutions_of_one_pixel_keep_channels_first_all_through():
    """With channels last, oneDNN of torch 2.13 writes outside of their memory where the processor has no AVX-512."""
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 1, stride=2), nn.Conv2d(8, 8, 1, stride=2)
    model = nn.Sequential(*layers)
    model[1].weight.data = model[1].weight.data.contiguous(memory_format=torch.channels_last)  # as some networks lay it
    use_channels_last(model)
    came = []
    model[0].register_forward_hook(lambda layer, args, out: came.append(out.is_contiguous()))
    model[1].register_forward_hook(lambda layer, args, out: came.append(args[0].is_contiguous()))
    model(torch.randn(2, 3, 8, 8)).sum().backward()
    assert came == [False, True] and model[1].weight.is_contiguous()
    assert model[2].weight.is_contiguous(memory_format=torch.channels_last), "eight channels fill a register"


@pytest.mark.parametrize(
    ("seconds", "used", "on_gpu", "said"),
    [(100, 30, False, True), (100, 90, False, False), (10, 1, False, False), (100, 5, True, False)],
)
def test_a_job_that_gets_little_of_the_processor_says_so(seconds, used, on_gpu, said):
    assert (starved(seconds, used, on_gpu) is not None) == said
