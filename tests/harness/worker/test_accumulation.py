"""A step in parts has the gradient of the whole batch: held against plain PyTorch and against the whole step."""

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from harness.worker.accumulation import accumulate_gradients


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


class Line(BaseModel):
    """Least squares with a mean over the batch."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.seen = []

    def forward(self, inputs, data_samples, mode="loss"):
        self.seen.append(len(data_samples))
        y = torch.tensor([float(s) for s in data_samples])
        return {"loss": ((self.layer(torch.stack(list(inputs)))[:, 0] - y) ** 2).mean()}


def made(momentum=0.9, **options):
    torch.manual_seed(0)
    model = Line()
    return model, OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, momentum=momentum), **options)


def batches(sizes):
    draw = torch.Generator().manual_seed(1)
    return [{"inputs": list(torch.randn(n, 3, generator=draw)), "data_samples": list(range(n))} for n in sizes]


@pytest.mark.parametrize("parts", [2, 4, 64])
def test_parts_end_with_the_weights_of_whole_batches_the_smaller_last_one_included(parts):
    whole, optim = made(clip_grad={"max_norm": 0.5})
    cut, cut_optim = made(clip_grad={"max_norm": 0.5})
    accumulate_gradients(cut, parts)
    for data in batches([8, 8, 3]):
        expected = whole.train_step(data, optim_wrapper=optim)
        got = cut.train_step(data, optim_wrapper=cut_optim)
        assert torch.allclose(got["loss"], expected["loss"], atol=1e-6)
    for a, b in zip(whole.parameters(), cut.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert max(cut.seen) <= -(-8 // parts) and sum(cut.seen) == 19
    assert cut_optim._inner_count == optim._inner_count == 3


def test_it_goes_together_with_accumulation_that_a_config_asks_for():
    whole, optim = made(accumulative_counts=2)
    cut, cut_optim = made(accumulative_counts=2)
    accumulate_gradients(cut, 2)
    for data in batches([4, 4, 4, 4]):
        whole.train_step(data, optim_wrapper=optim)
        cut.train_step(data, optim_wrapper=cut_optim)
    for a, b in zip(whole.parameters(), cut.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


class TwoSides(Line):
    """A model with a step and two optimizers of its own, as a GAN has them."""

    def __init__(self):
        super().__init__()
        self.other = nn.Linear(3, 1)

    def train_step(self, data, optim_wrapper):
        total, log = self.parse_losses(self(**data))
        optim_wrapper["a"].update_params(total)
        loss = self.other(torch.stack(data["inputs"])).square().mean()
        optim_wrapper["b"].update_params(loss)
        return {**log, "other": loss.detach()}


def test_models_with_several_optimizers_step_once_each():
    results = []
    for parts in (1, 3):
        torch.manual_seed(0)
        model = TwoSides()
        optim = OptimWrapperDict(
            a=OptimWrapper(torch.optim.SGD(model.layer.parameters(), lr=0.1)),
            b=OptimWrapper(torch.optim.SGD(model.other.parameters(), lr=0.1)),
        )
        if parts > 1:
            accumulate_gradients(model, parts)
        for data in batches([6, 5]):
            model.train_step(data, optim_wrapper=optim)
        results.append([p.detach().clone() for p in model.parameters()])
    for a, b in zip(*results, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_inputs_by_modality_and_stacked_inputs_are_cut_alike():
    class Two(Line):
        def forward(self, inputs, data_samples, mode="loss"):
            assert len(inputs["rgb"]) == len(inputs["ir"]) == len(data_samples)
            return super().forward(inputs["rgb"], data_samples)

    model = Two()
    accumulate_gradients(model, 2)
    rgb = torch.randn(5, 3)
    data = {"inputs": {"rgb": rgb, "ir": list(rgb)}, "data_samples": list(range(5))}
    model.train_step(data, optim_wrapper=OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))
    assert sorted(model.seen) == [2, 3]
