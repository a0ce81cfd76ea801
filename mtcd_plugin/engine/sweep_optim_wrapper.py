"""One optimizer per point of a fused sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.optim import OptimWrapperDict, build_optim_wrapper

from mtcd_plugin.engine.model_wrapper import unwrapped

if TYPE_CHECKING:
    from mmengine.model import BaseModel


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class SweepOptimWrapperConstructor:
    """``optim_wrapper = dict(constructor='SweepOptimWrapperConstructor', point=<what a student alone would
    have>)``.

    Each point of a ``FusedSweepDistiller`` gets the optimizer, the gradient clipping and, from the runner,
    the schedule of a run of its own.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        self.config = optim_wrapper_cfg["point"]

    def __call__(self, model: BaseModel) -> OptimWrapperDict:
        model = unwrapped(model)
        return OptimWrapperDict(
            **{f"point{i}": build_optim_wrapper(point, self.config) for i, point in enumerate(model.points)}
        )
