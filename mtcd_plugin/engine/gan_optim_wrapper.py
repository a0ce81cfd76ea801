"""Optimizers of a model with a generator and a discriminator side."""

from __future__ import annotations

from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn

from mtcd_plugin.engine.model_wrapper import unwrapped

PARTS = {"generator": ("to_ir", "to_rgb"), "discriminator": ("discriminator_ir", "discriminator_rgb")}


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GANOptimWrapperConstructor:
    """``optim_wrapper = dict(constructor='GANOptimWrapperConstructor', generator=dict(optimizer=...),
    discriminator=dict(optimizer=...))`` for an :class:`SDATranslator`.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        self.config = {k: v for k, v in optim_wrapper_cfg.items() if k != "type"}
        if set(self.config) != set(PARTS):
            raise ValueError(f"optim_wrapper takes {', '.join(PARTS)}; got {', '.join(sorted(self.config))}")

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        model = unwrapped(model)
        wrappers = {}
        for name, modules in PARTS.items():
            parameters = [p for module in modules for p in getattr(model, module).parameters()]
            config = dict(self.config[name])
            optimizer = OPTIMIZERS.build({**config.pop("optimizer"), "params": parameters})
            wrappers[name] = OptimWrapper(optimizer=optimizer, **config)
        return OptimWrapperDict(**wrappers)
