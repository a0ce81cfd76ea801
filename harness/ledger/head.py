"""What is needed of a record by commands that look at all of them: a few hundred bytes instead of tens of thousands."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from harness.ledger.record import RunRecord


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Head:
    """``parents``: stage -> key. ``failure``: kind and message of a failed run, "" for none. ``seconds``: all of
    its time, None where that is not known.
    """

    key: str
    status: str
    model: str
    variant: str
    seed: int
    profile: str
    dataset: str
    test_modality: str
    finished: str
    parents: dict[str, str]
    failure: str
    adopted_from: str
    seconds: float | None


_HEAD = TypeAdapter(Head)


def head_of(record: RunRecord) -> Head:
    c, failure = record.cell, record.failure
    return Head(
        key=record.key,
        status=record.status,
        model=c.model,
        variant=c.variant,
        seed=c.seed,
        profile=c.profile,
        dataset=c.dataset,
        test_modality=c.test_modality,
        finished=record.finished,
        parents=dict(record.identity.parents),
        failure=f"{failure.kind}: {failure.message}" if failure else "",
        adopted_from=record.adopted_from,
        seconds=record.cost.total_seconds,
    )


def to_json(head: Head) -> dict[str, Any]:
    return dataclasses.asdict(head)


def from_json(content: object) -> Head | None:
    """A head from what ``to_json`` gave; None for anything else."""
    try:
        return _HEAD.validate_python(content)
    except ValidationError:
        return None
