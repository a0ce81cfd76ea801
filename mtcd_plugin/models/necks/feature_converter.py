"""The attentive feature converter (paper, section 4.3, Eq. 8-9)."""

from __future__ import annotations

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

TEMPORAL = ("time", "channel", "time_channel")


@MODELS.register_module()
class FeatureConverter(BaseModule):
    """Spatial, then temporal attention with two residual paths.

    With ``F`` of shape [N, C, T, H, W] (float), the reading of Eq. 8-9 that is implemented is::

        X  = Conv(F)                                   [N, C, T, H, W]
        As = sigmoid(Conv_{1 x k x k}(X))              [N, 1, T, H, W]
        Y  = F + X * As                                [N, C, T, H, W]
        At = sigmoid(Conv_{k over T}(GAP_HW(Y)))       [N, 1, T, 1, 1]
        F~ = F + Y * At                                [N, C, T, H, W]

    Args:
        in_channels: C.
        conv_kernel: kernel of ``Conv`` in Eq. 8 over (T, H, W); the paper gives none.
        spatial_kernel: k of the spatial attention ("3 x 3" in the paper).
        temporal_kernel: k of the temporal attention. A 3 x 3 kernel on a globally pooled map has one live
            tap, so the kernel runs over time; 1 is the literal alternative.
        temporal: what ``At`` varies over: ``time`` (one weight per frame), ``channel`` (pooled over time as
            well, [N, C, 1, 1, 1]; the text says "spatial and channel dimensions") or ``time_channel`` ([N, C,
            T, 1, 1]).
        source: what the attention maps look at. ``cascade``: the result of the step before (above);
            ``input``: F for both (F' = F).

    Returns (from ``forward``):
        ``(F~, {})``, the pair that MMAction2 expects of a neck (the dict holds auxiliary losses; there are
        none).

    Raises:
        ValueError: an option is not one of those above.
    """

    def __init__(
        self,
        in_channels: int,
        conv_kernel: tuple[int, int, int] = (1, 1, 1),
        spatial_kernel: int = 3,
        temporal_kernel: int = 3,
        temporal: str = "time",
        source: str = "cascade",
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if temporal not in TEMPORAL:
            raise ValueError(f"FeatureConverter: temporal '{temporal}' is unknown; choose from {', '.join(TEMPORAL)}")
        if source not in ("cascade", "input"):
            raise ValueError(f"FeatureConverter: source '{source}' is unknown; choose from cascade, input")
        kernels = (*conv_kernel, spatial_kernel, temporal_kernel)
        if any(k < 1 or k % 2 == 0 for k in kernels):
            raise ValueError(f"FeatureConverter: kernels must be odd and positive, got {kernels}")
        self.temporal, self.source = temporal, source
        self.conv = nn.Conv3d(in_channels, in_channels, tuple(conv_kernel), padding=[k // 2 for k in conv_kernel])  # type: ignore[arg-type]  # three numbers
        self.spatial_attention = nn.Conv3d(
            in_channels,
            1,
            (1, spatial_kernel, spatial_kernel),
            padding=(0, spatial_kernel // 2, spatial_kernel // 2),
        )
        out = 1 if temporal == "time" else in_channels
        self.temporal_attention = nn.Conv1d(in_channels, out, temporal_kernel, padding=temporal_kernel // 2)

    def forward(self, feature: Tensor, data_samples: list | None = None) -> tuple[Tensor, dict]:
        """[N, C, T, H, W] -> ([N, C, T, H, W], {})."""
        x = self.conv(feature)
        looked_at = feature if self.source == "input" else x
        y = feature + x * self.spatial_attention(looked_at).sigmoid()
        looked_at = feature if self.source == "input" else y
        pooled = looked_at.mean(dim=(3, 4))  # [N, C, T]
        if self.temporal == "channel":
            pooled = pooled.mean(dim=2, keepdim=True)  # [N, C, 1]
        attention = self.temporal_attention(pooled).sigmoid()  # [N, 1 or C, T or 1]
        return feature + y * attention[..., None, None], {}
