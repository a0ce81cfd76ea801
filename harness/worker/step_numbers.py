"""The numbers of training steps, fetched from the device together.

To look at a number of a step is to wait until the device has computed it. A GPU is to have the next steps by then, so
numbers stay there until a line is logged, and come over in one transfer.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor


@runtime_checkable
class StepReader(Protocol):
    """A hook that is told the numbers of each step, in order."""

    def read_step(self, runner: Runner, batch_idx: int, numbers: dict[str, float]) -> None:
        """``numbers``: mean by name of what the step returned."""


@HOOKS.register_module()
class StepNumbersHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook``; numbers of steps reach the log and every ``StepReader`` after ``every`` steps,
    and at the end of an epoch.

    Args:
        every: steps; 1 on the CPU, where nobody waits.
    """

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self._kept: list[tuple[int, list[str], Tensor]] = []
        self._norms: list[Tensor] = []  # of gradients, as clipping has them

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if self.every > 1:
            wrapper = runner.optim_wrapper
            for one in wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]:
                self._keep_norms(one)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs: dict | None = None) -> None:
        if outputs:
            self._kept.append((batch_idx, list(outputs), stacked(list(outputs.values()))))
        if (batch_idx + 1) % self.every == 0 or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self._tell(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        self._tell(runner)

    def _tell(self, runner: Runner) -> None:
        kept, self._kept = self._kept, []
        norms, self._norms = self._norms, []
        if not kept:
            return
        found = torch.cat([values for _, _, values in kept] + [stacked([norm]) for norm in norms]).tolist()
        readers = [hook for hook in runner.hooks if isinstance(hook, StepReader)]
        for batch_idx, names, _ in kept:
            numbers = dict(zip(names, found, strict=False))
            del found[: len(names)]
            for name, number in numbers.items():
                runner.message_hub.update_scalar(f"train/{name}", number)
            for reader in readers:
                reader.read_step(runner, batch_idx, numbers)
        for number in found:
            runner.message_hub.update_scalar("train/grad_norm", number)

    def _keep_norms(self, wrapper: OptimWrapper) -> None:
        """MMEngine's wrapper logs the norm that clipping returns, at each step; here it gets none."""
        if not wrapper.clip_grad_kwargs:
            return
        clip = wrapper.clip_func

        def clip_func(*args: Any, **kwargs: Any) -> None:
            norm = clip(*args, **kwargs)
            if norm is not None:
                self._norms.append(norm)

        wrapper.clip_func = clip_func


def stacked(values: list[Any]) -> Tensor:
    """The means of numbers and tensors, float64 [values], on the device of the first tensor."""
    device = next((v.device for v in values if isinstance(v, Tensor)), torch.device("cpu"))
    return torch.stack([torch.as_tensor(v, device=device).detach().double().mean() for v in values])
