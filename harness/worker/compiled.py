"""``torch.compile`` for the backbones of a job's networks, with a fallback that is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from harness.errors import one_line
from harness.ledger.record import RunRecord

LONGEST_REASON = 200  # characters; the compiler's own messages go on for pages


class CompiledCall:
    """A module's forward pass, compiled; at the first error of the compiler it is called as it is, from then on.

    Args:
        name: of the module, for the message. compiled, plain: the pass both ways.

    ``note``: "" or why it is not compiled, one line.
    """

    def __init__(self, name: str, compiled: Callable[..., Any], plain: Callable[..., Any]) -> None:
        self.name = name
        self.compiled = compiled
        self.plain = plain
        self.note = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.note:
            return self.plain(*args, **kwargs)
        try:
            return self.compiled(*args, **kwargs)
        except torch._dynamo.exc.TorchDynamoException as e:
            reason = one_line(e).split(" Set TORCHDYNAMO")[0][:LONGEST_REASON]
            self.note = f"--compile: {self.name} runs without it ({type(e).__name__}: {reason})"
            print(self.note, flush=True)
            return self.plain(*args, **kwargs)


class CompileHook(Hook):
    """Compiles the backbones of a model before it is trained; names of weights stay. Its tests go on with that.

    What is around them (preprocessing, heads, losses) looks at data samples, which no compiler takes.

    Args:
        backend: of ``torch.compile``.
    """

    def __init__(self, backend: str = "inductor") -> None:
        self.backend = backend
        self.calls: list[CompiledCall] = []

    def before_train(self, runner: Runner) -> None:
        for name, module in outermost_backbones(runner.model):
            call = CompiledCall(name, torch.compile(module.forward, backend=self.backend), module.forward)
            module.forward = call  # the class's own is behind it
            self.calls.append(call)
        if not self.calls:
            print("--compile has no effect: no module of the model is called backbone", flush=True)
        else:
            names = ", ".join(call.name for call in self.calls)
            print(f"compiling {names}: the first steps take minutes, and log nothing meanwhile", flush=True)


def outermost_backbones(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Name and module of everything called ``backbone`` that is not within another one."""
    named = [(name, m) for name, m in model.named_modules() if name.split(".")[-1] == "backbone"]
    return [(name, m) for name, m in named if name.split(".").count("backbone") == 1]


def record_compiled(runner: Runner, record: RunRecord) -> None:
    """What was compiled, and why what was asked for was not; from then on modules are called as they are, which is what
    costs are counted of.
    """
    for hook in runner.hooks:
        if isinstance(hook, CompileHook):
            done = [call.name for call in hook.calls if not call.note]
            record.hardware["compile"] = ", ".join(done) or "nothing"
            record.notes += [call.note for call in hook.calls if call.note]
            for _, module in outermost_backbones(runner.model):
                vars(module).pop("forward", None)
