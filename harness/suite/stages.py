"""Stages: what a method's folder declares of its networks, beside the single network that every method may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal["trains", "classifies", "renders"]


class Stage(BaseModel):
    """One stage of a method, in a metafile's ``Stages``.

    Its role says what its jobs leave behind: weights where it trains, a store of clips where it renders, predictions
    where it only classifies.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)
    name: str = Field(alias="Name", pattern="^[a-z][a-z0-9_]*$")
    title: str = Field(alias="Title", min_length=1)
    does: tuple[Role, ...] = Field(alias="Does", min_length=1)
    result: bool = Field(default=False, alias="Result")  # its accuracy is the method's: a row of the tables of methods

    @model_validator(mode="after")
    def _consistent(self) -> Stage:
        if twice := [role for role, n in Counter(self.does).items() if n > 1]:
            raise ValueError(f"Does: '{twice[0]}' is listed twice")
        if self.result and "classifies" not in self.does:
            raise ValueError(
                f"Result: true, but stage '{self.name}' has no accuracy; add classifies to Does, or leave Result out"
            )
        return self


SINGLE = Stage(name="single", title="Single network", does=("trains", "classifies"), result=True)


def stages_by_name(declared: Iterable[Stage]) -> dict[str, Stage]:
    """The stages of a metafile and the single network.

    Raises:
        ValueError: a name is declared twice, or is that of the single network.
    """
    found = {SINGLE.name: SINGLE}
    for stage in declared:
        if stage.name == SINGLE.name:
            raise ValueError(
                f"Stages: '{SINGLE.name}' is the stage that every method has; leave it out, or choose another name"
            )
        if stage.name in found:
            raise ValueError(f"Stages: '{stage.name}' is declared twice")
        found[stage.name] = stage
    return found


def check_used(declared: Iterable[Stage], used: Iterable[str]) -> None:
    """Raises ValueError for a stage that is declared and that no model has."""
    models = set(used)
    for stage in declared:
        if stage.name not in models:
            raise ValueError(f"Stages: no model has Stage: {stage.name}; leave its declaration out")
