"""``models check`` of a rendering: what it gives is named, and of the modality's channels, size and type."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel

from harness.measure.checks.declared import CheckFailed
from harness.measure.checks.network import renders
from harness.network.clips import random_batch


class Renderer(BaseModel):
    def __init__(self, name, made):
        super().__init__()
        self.name, self.made = name, made

    def forward(self, inputs, data_samples=None, mode="predict"):
        for sample in data_samples:
            sample.set_field(self.made, self.name, dtype=torch.Tensor)
        return data_samples


def check(name, channels, dtype=torch.uint8, frames=4):
    model = Renderer(name, torch.zeros(1, channels, frames, 8, 8, dtype=dtype))
    renders(SimpleNamespace(model=model, batch=lambda split, size: random_batch((3, 4, 8, 8), size)))


@pytest.mark.parametrize(("name", "channels"), [("pseudo_ir", 1), ("flow", 2)])
def test_each_modality_has_its_own_channels(name, channels):
    check(name, channels)
    with pytest.raises(CheckFailed, match=rf"sample's {name}, uint8 \(1, {channels}, 4, 8, 8\); it gives torch.uint8"):
        check(name, 3)
    with pytest.raises(CheckFailed, match="it gives torch.float32"):
        check(name, channels, torch.float32)
    with pytest.raises(CheckFailed, match=r"\(1, [12], 5, 8, 8\)"):
        check(name, channels, frames=5)


def test_one_that_gives_nothing_known_is_told_what_there_is():
    with pytest.raises(CheckFailed, match="must give each sample's pseudo_ir or flow; it gives none"):
        check("thermal", 1)
