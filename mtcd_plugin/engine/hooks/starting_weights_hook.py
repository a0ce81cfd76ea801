"""``load_from`` of a training, and the report of all starting weights."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from torch import Tensor, nn

from mtcd_plugin.engine.model_wrapper import unwrapped
from mtcd_plugin.formats.weights_file import content_sha256, weights_file
from mtcd_plugin.models.weights.init_cfg import start_reports
from mtcd_plugin.models.weights.starting_weights import LoadReport, state_from, tensors_of

if TYPE_CHECKING:
    from mmengine.model import BaseModel

KEY = "starting_weights"  # of a checkpoint: the reports, for those who resume


@HOOKS.register_module()
class StartingWeightsHook(Hook):
    """``load_from`` in training takes what fits of a file, strict about the backbone; see :func:`state_from`.

    The weights of a distiller are those of its student, of a fused sweep those of every student. ``reports`` holds what
    was loaded, from ``load_from`` as well as from ``init_cfg`` and ``pretrained``, in a resumed training too. A test
    (``tools/test.py``) loads all of a recognizer's checkpoint or none, see :func:`refuse_partial`.
    """

    priority = "LOWEST"  # after the hooks that complete a checkpoint of their own

    def __init__(self) -> None:
        self.loaded: list[dict[str, Any]] = []
        self.resumed: list[dict[str, Any]] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if runner._resume:
            self.resumed = checkpoint.get(KEY)
            return
        if not isinstance(runner._train_loop, BaseLoop):
            return
        model = unwrapped(runner.model)
        checkpoint["state_dict"], reports = started_state(model, checkpoint, runner._load_from)
        for report in reports:
            self.loaded.append(report.as_dict())
            runner.logger.info(report.line())

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        checkpoint[KEY] = self.reports(runner)

    def reports(self, runner: Runner) -> list[dict[str, Any]]:
        """:class:`LoadReport` of everything that the training started from, as dicts."""
        if self.resumed is not None:
            return self.resumed
        model = unwrapped(runner.model)
        return [report.as_dict() for report in start_reports(model)] + self.loaded


def started_state(
    model: nn.Module, checkpoint: dict[str, Any], source: str
) -> tuple[OrderedDict[str, Tensor], list[LoadReport]]:
    """A model's whole state with what fits of ``load_from`` in its place, and what that is.

    Args:
        checkpoint: what was read of ``source``.

    Raises:
        ValueError: see :func:`state_from`.
    """
    file = weights_file(source)
    given = tensors_of(checkpoint)
    state, reports = OrderedDict(model.state_dict()), []
    for prefix, network in _receivers(model, given):
        report = LoadReport(prefix.rstrip("."), file.name, content_sha256(file.path))
        state.update({prefix + name: value for name, value in state_from(network, given, report).items()})
        reports.append(report)
    return state, reports


def _receivers(model: BaseModel, given: dict[str, Any]) -> list[tuple[str, BaseModel]]:
    """The networks that weights are for, by their prefix in the model's state."""
    if isinstance(getattr(model, "points", None), nn.ModuleList):
        return [(f"points.{i}.student.", point.student) for i, point in enumerate(model.points)]
    if hasattr(model, "student") and not any(name.startswith("student.") for name in given):
        return [("student.", model.student)]
    return [("", model)]
