"""How a job computes: the precision of its training and tests, and the memory format of its convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn

from harness.errors import BadUsage
from harness.system.bfloat16 import bfloat16_gradients_are_right
from harness.system.precision import WRONG_GRADIENTS, Precision

LANES = 8  # float32 numbers that AVX2 takes at once


def chosen_precision(asked: str, on_gpu: bool, config: Mapping) -> Precision:
    """The precision of a job: what ``auto`` means on this device (bfloat16 on a GPU that has it, else float32), and
    float32 for what predicts no classes (translators and their pictures).
    """
    evaluators = config.get("test_evaluator") or []
    if not {e.get("type") for e in evaluators} & {"ClipPredictions", "SweepPredictions"}:
        return Precision.FP32
    if asked != "auto":
        return Precision(asked)
    return Precision.BF16 if on_gpu and torch.cuda.is_bf16_supported(including_emulation=False) else Precision.FP32


def set_precision(runner: Runner, precision: Precision, on_gpu: bool) -> None:
    """Make a Runner train and test at a precision.

    Weights, optimizer, class scores and losses are float32 at every precision. ``fp32`` on a GPU is float32 in
    convolutions as well, which cuDNN would do in TF32.

    Raises: BadUsage where bfloat16 convolutions of this processor are wrong.
    """
    torch.backends.cuda.matmul.allow_tf32 = precision is not Precision.FP32
    torch.backends.cudnn.allow_tf32 = precision is not Precision.FP32
    if precision is not Precision.BF16:
        return
    if (
        not on_gpu and not bfloat16_gradients_are_right()
    ):  # of the machine that trains, which may not be the one that plans
        raise BadUsage(f"--precision bf16: {WRONG_GRADIENTS}; choose fp32 or auto")
    from mmaction.models.heads import BaseHead  # when the plugin's shims are in place

    device = "cuda" if on_gpu else "cpu"
    for module in runner.model.modules():
        if isinstance(module, BaseHead):  # its accuracy in training takes arrays, which have no bfloat16
            module.register_forward_hook(_scores_in_float32)
    runner.register_hook(_AutocastHook(device))


def use_channels_last(model: nn.Module) -> None:
    """Lay out the weights of convolutions with channels last, which on CPUs and GPUs takes 0.5 to 1 of the time.

    Not those that oneDNN of torch 2.13 computes outside of their memory: 1 x 1 kernels with a stride on fewer channels
    than a processor without AVX-512 takes at once. Their backward pass ends the process, sooner or later.
    """
    formats = ((nn.Conv3d, torch.channels_last_3d), (nn.Conv2d, torch.channels_last))
    for module in model.modules():
        for kind, memory_format in formats:
            if not isinstance(module, kind):
                continue
            if kind is nn.Conv2d and max(module.kernel_size) == 1 < max(module.stride) and module.in_channels < LANES:
                module.weight.data = module.weight.data.contiguous()
                module.register_forward_pre_hook(_channels_first)
            else:
                module.weight.data = module.weight.data.contiguous(memory_format=memory_format)
                module.register_forward_pre_hook(partial(_laid_out, memory_format))


def _laid_out(
    memory_format: torch.memory_format, conv: nn.Module, args: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, ...]:
    """Once, where the forward and the backward pass would each do it for themselves."""
    x, *rest = args
    batched = 5 if memory_format is torch.channels_last_3d else 4
    if x.device.type != "cpu" or x.dim() != batched:
        return args
    return (x.contiguous(memory_format=memory_format), *rest)


def _channels_first(conv: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(x.contiguous() if x.device.type == "cpu" else x for x in args)


class _AutocastHook(Hook):
    """Forward passes under bfloat16 autocast; those of training steps as MMEngine's ``AmpOptimWrapper`` does it."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.testing = torch.autocast(device, torch.bfloat16)

    def before_test(self, runner: Runner) -> None:
        self.testing.__enter__()

    def after_test(self, runner: Runner) -> None:
        self.testing.__exit__(None, None, None)

    def before_train(self, runner: Runner) -> None:
        wrappers = runner.optim_wrapper
        for wrapper in wrappers.values() if isinstance(wrappers, OptimWrapperDict) else [wrappers]:
            _autocast(wrapper, self.device)


def _autocast(wrapper: OptimWrapper, device: str) -> None:
    own = wrapper.optim_context

    @contextmanager
    def optim_context(model: nn.Module) -> Iterator[None]:
        with own(model), torch.autocast(device, torch.bfloat16):
            yield

    wrapper.optim_context = optim_context


def _scores_in_float32(module: nn.Module, inputs: object, scores: object) -> object:
    return scores.float() if isinstance(scores, Tensor) else scores
