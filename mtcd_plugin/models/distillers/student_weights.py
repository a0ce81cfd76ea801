"""A distiller's weights are its student's, with or without the student's prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from mtcd_plugin.models.weights.init_cfg import first_difference

if TYPE_CHECKING:
    from mmengine.model import BaseModel

STUDENT = "student."  # prefix of the student's weights


def take_students_weights(
    distiller: BaseModel, state_dict: dict[str, Tensor], prefix: str, _metadata, strict: bool, *_
) -> None:
    """Load-state hook: a student's weights under a plain recognizer's names are loaded into the distiller's student;
    its other weights stay as they are.

    Without it MMEngine's ``load_checkpoint`` would log that nothing fits and test random weights.

    Raises:
        ValueError: the weights are not those of the student, neither with nor without its prefix.
    """
    if prefix or not strict:
        return
    named = any(name.startswith(STUDENT) for name in state_dict)
    given = (
        {n[len(STUDENT) :]: v for n, v in state_dict.items() if n.startswith(STUDENT)} if named else dict(state_dict)
    )
    if line := first_difference(distiller.student.state_dict(), given):
        raise ValueError(
            f"the checkpoint is not of this distiller's student: {line}; test it "
            "with the config that it was trained with"
        )
    if not named:
        state_dict.clear()
        state_dict.update(distiller.state_dict())
        state_dict.update({STUDENT + name: value for name, value in given.items()})
