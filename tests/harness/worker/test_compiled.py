"""Compiled backbones: the same results but for last digits, and a line where there is no compiler."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from harness.worker.compiled import CompileHook, record_compiled


class Network(nn.Module):
    """A backbone and a layer, and a network that teaches."""

    def __init__(self, teacher=True):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
        self.head = nn.Linear(4, 2)
        self.teacher = Network(False) if teacher else None

    def forward(self, x):
        return self.head(self.backbone(x)) + (self.teacher(x) if self.teacher else 0)


def compiled(backend):
    torch.manual_seed(0)
    network = Network()
    names = list(network.state_dict())
    hook = CompileHook(backend)
    runner = SimpleNamespace(model=network, hooks=[hook])
    hook.before_train(runner)
    assert list(network.state_dict()) == names
    return network, runner


def plain_gradient(x):
    torch.manual_seed(0)
    network = Network()
    network(x).sum().backward()
    return network.backbone[0].weight.grad


def test_backbones_are_compiled_and_learn_the_same(capsys):
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph

    network, runner = compiled(backend)
    assert "compiling backbone, teacher.backbone: the first steps take minutes" in capsys.readouterr().out
    x = torch.randn(5, 3)
    network(x).sum().backward()
    assert graphs  # one for both, where they are alike
    torch.testing.assert_close(network.backbone[0].weight.grad, plain_gradient(x))
    record = SimpleNamespace(hardware={}, notes=[])
    record_compiled(runner, record)
    assert record.hardware == {"compile": "backbone, teacher.backbone"} and not record.notes
    assert "forward" not in vars(network.backbone), "costs are counted of what is not compiled"


@pytest.mark.slow
def test_without_a_compiler_a_job_goes_on_and_says_so(monkeypatch, capsys):
    import torch._inductor.config as config

    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    monkeypatch.setattr(config, "force_disable_caches", True)
    check_fallback(*compiled("inductor"), capsys)


def test_where_the_compiler_fails_a_job_goes_on_and_says_so(capsys):
    def backend(graph, inputs):
        raise RuntimeError("no compiler\nof this kind")

    check_fallback(*compiled(backend), capsys)


def check_fallback(network, runner, capsys):
    x = torch.randn(5, 3)
    for _ in range(2):
        network.zero_grad()
        network(x).sum().backward()
    torch.testing.assert_close(network.backbone[0].weight.grad, plain_gradient(x), rtol=0, atol=0)
    first, *said = capsys.readouterr().out.splitlines()
    assert first.startswith("compiling ") and len(said) == 2
    assert all(line.startswith("--compile: ") and "runs without it" in line for line in said)
    record = SimpleNamespace(hardware={}, notes=[])
    record_compiled(runner, record)
    assert record.hardware == {"compile": "nothing"} and record.notes == said


def test_a_model_without_backbone_says_that_there_is_nothing_to_compile(capsys):
    hook = CompileHook("eager")
    hook.before_train(SimpleNamespace(model=nn.Linear(2, 2)))
    assert "--compile has no effect" in capsys.readouterr().out
