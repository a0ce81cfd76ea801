"""A visualizer for trainings, most of which draw nothing: matplotlib is a tenth of all that a worker would import."""

from __future__ import annotations

from typing import Any

from mmengine.registry import VISUALIZERS
from mmengine.utils import ManagerMixin
from mmengine.visualization import BaseVisBackend, Visualizer

FIGURE = ("fig_save_canvas", "fig_save", "ax_save", "dpi")  # what MMEngine's makes as it is built


@VISUALIZERS.register_module()
class LateVisualizer(Visualizer):
    """MMEngine's ``Visualizer`` without backends, whose figure is made when it is first drawn on."""

    def __init__(self, name: str, **_: Any) -> None:
        ManagerMixin.__init__(self, name)
        self._dataset_meta = None
        self._vis_backends: dict[str, BaseVisBackend] = {}
        self.fig_save_cfg = self.fig_show_cfg = {"frameon": False}

    def __getattr__(self, name: str) -> Any:
        if name not in FIGURE:
            raise AttributeError(name)
        self.fig_save_canvas, self.fig_save, self.ax_save = self._initialize_fig(self.fig_save_cfg)
        self.dpi = self.fig_save.get_dpi()
        return getattr(self, name)
