"""Costs against closed forms, on a toy network whose numbers can be worked out by hand."""

import mtcd_plugin.register  # noqa: F401  isort: skip
import pytest
import torch
from mmengine.model import BaseModel
from torch import nn

from harness.measure import PeakMemory, count_cost, latency, throughput
from harness.network.clips import random_batch
from mtcd_plugin.models.data_preprocessors.clip_data_preprocessor import ClipDataPreprocessor

torch.set_num_threads(1)
C, T, H, W, WIDTH, CLASSES = 3, 4, 10, 8, 5, 7


class Toy(BaseModel):
    """Conv3d (3, 3, 3), batch norm, mean over the clip, one fully connected layer."""

    def __init__(self) -> None:
        super().__init__(data_preprocessor=ClipDataPreprocessor())
        self.conv = nn.Conv3d(C, WIDTH, 3, stride=(1, 2, 2), padding=1, bias=False)
        self.norm = nn.BatchNorm3d(WIDTH)
        self.fc = nn.Linear(WIDTH, CLASSES)
        self.batches = []

    def forward(self, inputs, data_samples=None, mode="tensor"):
        assert not self.training and not torch.is_grad_enabled() and mode == "predict"
        self.batches.append(len(data_samples))
        x = self.norm(self.conv(inputs.flatten(0, 1))).mean(dim=(2, 3, 4))
        return self.fc(x)


class Distilling(BaseModel):
    """A student beside a far larger teacher that predicting never runs."""

    def __init__(self) -> None:
        super().__init__(data_preprocessor=ClipDataPreprocessor())
        self.student, self.teacher = Toy(), nn.Linear(1000, 1000)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        return self.student(inputs, data_samples, mode)


CONV = WIDTH * (H // 2) * (W // 2) * T * C * 27  # every output value: one multiply-add per kernel weight
FLOPS = CONV + WIDTH * CLASSES
PARAMS = WIDTH * C * 27 + 2 * WIDTH + WIDTH * CLASSES + CLASSES


def test_cost_of_a_toy_network_by_hand():
    assert count_cost(Toy(), (C, T, H, W)) == (PARAMS, FLOPS)


def test_cost_does_not_depend_on_grey_input_that_is_replicated():
    assert count_cost(Toy(), (1, T, H, W)) == (PARAMS, FLOPS)


def test_cost_of_a_distiller_is_its_students():
    assert count_cost(Distilling(), (C, T, H, W)) == (PARAMS, FLOPS)


@pytest.mark.parametrize("need_weights", [True, False])
def test_attention_is_counted(need_weights):
    """Four projections and two products of tokens with tokens; the softmax is not a multiply-add."""

    class Attending(Toy):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, inputs, data_samples=None, mode="tensor"):
            tokens = inputs.flatten()[: 6 * 8].reshape(1, 6, 8)
            return self.attention(tokens, tokens, tokens, need_weights=need_weights)[0]

    assert count_cost(Attending(), (C, T, H, W)).flops == 4 * 6 * 8 * 8 + 2 * 6 * 6 * 8
    assert torch.backends.mha.get_fastpath_enabled(), "back on afterwards"


def test_measuring_changes_nothing():
    toy = Toy().train()
    toy.norm.eval()
    before = {k: v.clone() for k, v in toy.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    count_cost(toy, (C, T, H, W))
    latency(toy, (C, T, H, W), repeats=1, warmup=1)
    assert torch.equal(torch.rand(1), expected), "the random state of training is left alone"
    assert toy.training and toy.conv.training and not toy.norm.training
    assert all(torch.equal(v, before[k]) for k, v in toy.state_dict().items())


def test_timing_counts_its_batches_and_orders_its_numbers():
    toy = Toy()
    timing = throughput(toy, (C, T, H, W), batch_size=6, repeats=3, warmup=2)
    assert toy.batches == [6] * 5
    assert 0 < timing.median <= timing.p95
    assert timing.clips_per_second == pytest.approx(6 / timing.median)
    assert (timing.device, timing.threads, timing.batch_size, timing.repeats) == ("cpu", 1, 6, 3)


def test_quantiles_are_numpys():
    import numpy as np

    from harness.measure.timing import _quantile

    values = sorted([0.3, 0.1, 0.9, 0.4, 0.45, 7.0])
    for q in (0.0, 0.5, 0.95, 1.0):
        assert _quantile(values, q) == pytest.approx(np.quantile(values, q))


def test_peak_memory_on_cpu_is_at_least_what_was_held():
    with PeakMemory("cpu") as peak:
        held = torch.ones(64 * 2**20, dtype=torch.uint8)
    assert peak.bytes >= held.numel()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_peak_memory_on_gpu_is_of_the_context_alone():
    before = torch.ones(32 * 2**20, dtype=torch.uint8, device="cuda")
    del before
    with PeakMemory("cuda") as peak:
        held = torch.ones(8 * 2**20, dtype=torch.uint8, device="cuda")
    assert 8 * 2**20 <= peak.bytes < 32 * 2**20 and held.numel()


@pytest.mark.parametrize("shape", [(3, 4, 10), (3, 0, 10, 8), (1, 3, 4, 10, 8)])
def test_bad_shape_is_one_clear_line(shape):
    with pytest.raises(ValueError, match=r"four positive numbers \(C, T, H, W\)"):
        count_cost(Toy(), shape)


def test_bad_counts_are_one_clear_line():
    with pytest.raises(ValueError, match="repeats=0"):
        throughput(Toy(), (C, T, H, W), repeats=0)
    with pytest.raises(ValueError, match="batch size 0"):
        random_batch((C, T, H, W), 0)


def test_several_modalities_give_a_dict_of_clips():
    batch = random_batch({"rgb": (3, 2, 4, 5), "ir": (1, 2, 4, 5)}, 2)
    assert {m: [tuple(c.shape) for c in clips] for m, clips in batch["inputs"].items()} == {
        "rgb": [(1, 3, 2, 4, 5)] * 2,
        "ir": [(1, 1, 2, 4, 5)] * 2,
    }
    assert len(batch["data_samples"]) == 2 and batch["inputs"]["rgb"][0].dtype == torch.uint8
