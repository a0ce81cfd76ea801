"""A recognizer whose backbone makes heat maps on the way, RAAR3DNet."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from mmaction.models.recognizers import Recognizer3D
from mmaction.registry import MODELS
from torch import Tensor

from mtcd_plugin.models.distillers.checkpoints import load_network
from mtcd_plugin.transforms.load_key_points import HEATMAP

SOURCES = ("none", "file")


@MODELS.register_module()
class HeatmapRecognizer(Recognizer3D):
    """Recognizer3D with a :class:`RAAR3D` as backbone; its heat maps are learned from key-points where there are any.

    Loss: cross-entropy + ``heatmap_weight`` * mean squared error of the maps.

    Args:
        heatmap_source: ``none``: the maps are learned from the cross-entropy alone. ``file``: the data have key-points,
            from ``LoadKeyPoints`` in the training pipeline.
        heatmap_weight: has no effect with ``none``.
        init_from: checkpoint of an NI3D to start from, class layer included; '' for none.
        kwargs: of Recognizer3D.

    Inputs: ``[N, V, 3, T, H, W]``; with ``file``, training takes modality -> that, and ``heatmap``
    [N, V, 1, T, H, W] in 0..1.
    """

    def __init__(
        self, heatmap_source: str = "none", heatmap_weight: float = 100.0, init_from: str = "", **kwargs
    ) -> None:
        super().__init__(**kwargs)
        if heatmap_source not in SOURCES:
            raise ValueError(f"heatmap_source={heatmap_source!r} is unknown; choose from {', '.join(SOURCES)}")
        self.heatmap_source = heatmap_source
        self.heatmap_weight = heatmap_weight
        self.init_from = init_from

    def init_weights(self) -> None:
        super().init_weights()
        if self.init_from:
            for network, prefix in ((self.backbone.ni3d, "backbone."), (self.cls_head, "cls_head.")):
                load_network(network, self.init_from, "model.init_from", stages=("ni3d",), prefix=prefix)

    def loss(self, inputs: Tensor | Mapping[str, Tensor], data_samples: list, **kwargs) -> dict[str, Tensor]:
        clips, target = self._with_target(inputs)
        if target is None:
            return super().loss(clips, data_samples, **kwargs)
        feature, heat = self.backbone.forward_with_heat(clips.flatten(0, 1))
        losses = self.cls_head.loss(feature, data_samples)
        error = F.mse_loss(heat.float(), F.adaptive_avg_pool3d(target.flatten(0, 1), heat.shape[2:]))
        return {**losses, "loss_heatmap": self.heatmap_weight * error}

    def _with_target(self, inputs: Tensor | Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Clips, and heat maps where they are to be learned. ValueError where those and ``heatmap_source`` differ."""
        if isinstance(inputs, Tensor):
            if self.heatmap_source == "none":
                return inputs, None
            raise ValueError(
                "heatmap_source='file', but the training data have no heat maps: put LoadKeyPoints after LoadModalities"
            )
        names = [name for name in inputs if name != HEATMAP]
        if len(names) != 1 or HEATMAP not in inputs:
            raise ValueError(
                f"HeatmapRecognizer takes one modality, and its heat maps; the data give {', '.join(inputs)}"
            )
        if self.heatmap_source == "none":
            raise ValueError("the data have heat maps without effect: set model.heatmap_source='file'")
        return inputs[names[0]], inputs[HEATMAP]
