"""Records of a large ledger in little memory: what many have in common is kept once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from harness.ledger.record import Epoch, RunRecord
from harness.ledger.store import read_record

Part = TypeVar("Part")
Made = TypeVar("Made")


class Shared:
    """Gives equal parts of records back as one object, and leaves out what the page of a run alone shows.

    The runs of a config differ in their seed, results and times; config, code, data and machine are the same.
    """

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self._given: set[int] = set()  # ids of what was given back, all of which ``_known`` keeps

    def __call__(self, record: RunRecord) -> RunRecord:
        """The same record without its epochs, which are read again for its page (``epochs_of``)."""
        record.epochs = []
        i, c = record.identity, record.cell
        i.config, i.code, i.data = self._part(i.config), self._part(i.code), self._part(i.data)
        c.overrides, c.train_modalities = self._part(c.overrides), self._part(c.train_modalities)
        record.environment, record.hardware = self._part(record.environment), self._part(record.hardware)
        record.notes, record.cost.input_shape = self._part(record.notes), self._part(record.cost.input_shape)
        record.pretrained = self._model(record.pretrained)
        record.data = self._model(record.data)
        return record

    def _part(self, part: Any) -> Any:
        return self._shared(part, json.dumps)

    def _model(self, part: Any) -> Any:
        return self._shared(part, repr)

    def _shared(self, part: Any, said: Callable[[Any], str]) -> Any:
        if id(part) in self._given:
            return part
        found = self._known.setdefault(said(part), part)
        self._given.add(id(found))
        return found


class Once:
    """Makes something of a part that records share as one object, and has it the next time; of the last ``most``."""

    def __init__(self, most: int = 500) -> None:
        self._made: dict[tuple[int, str], tuple[Any, Any]] = {}
        self._most = most

    def __call__(self, part: Part, make: Callable[[Part], Made], name: str = "") -> Made:
        """``make(part)``. ``name``: of what is made, where it is not always the same."""
        asked = id(part), name
        found = self._made.get(asked)
        if found is None or found[0] is not part:
            if len(self._made) >= self._most:
                self._made.clear()
            found = self._made[asked] = part, make(part)
        return found[1]


def epochs_of(folder: Path, record: RunRecord) -> list[Epoch]:
    """What ``Shared`` has left out of a record.

    Raises:
        ValueError: another record is there now, one line.
    """
    found = read_record(folder)
    if found.seal != record.seal:
        raise ValueError(f"{folder}: was run anew while its page was written; write the pages again")
    return found.epochs
