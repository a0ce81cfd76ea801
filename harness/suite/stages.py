"""Stages: what a method's folder declares of its networks, beside the single network that every method may have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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


SINGLE = Stage(name="single", title="Single network", does=("trains", "classifies"), result=True)


def stages_by_name(declared: Iterable[Stage]) -> dict[str, Stage]:
    """The stages of a metafile and the single network. Raises ValueError for a name that is declared twice."""
    found = {SINGLE.name: SINGLE}
    for stage in declared:
        if stage.name in found:
            raise ValueError(f"Stages: '{stage.name}' is declared twice")
        found[stage.name] = stage
    return found
