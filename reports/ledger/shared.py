"""Records of a large ledger in little memory: what many have in common is kept once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import from_json, to_json

from harness.ledger.files import read_file
from harness.ledger.record import SCHEMA_VERSION, RunRecord
from harness.ledger.run_dir import RECORD
from harness.ledger.store import LARGEST_RECORD, read_record

Part = TypeVar("Part")
Made = TypeVar("Made")


class Shared:
    """Gives equal parts of records back as one object, and leaves out what the page of a run alone shows.

    The runs of a config differ in their seed, results and times; config, code, data and machine are the same.
    """

    def __init__(self) -> None:
        self._known: dict[str | bytes, Any] = {}
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
        return self._shared(part, to_json)

    def _model(self, part: Any) -> Any:
        return self._shared(part, repr)

    def _shared(self, part: Any, said: Callable[[Any], str | bytes]) -> Any:
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


def epochs_of(folder: Path, record: RunRecord) -> list[dict[str, Any]]:
    """What ``Shared`` has left out of a record that was found valid, as JSON has it.

    Raises:
        FileNotFoundError, ValueError: another record is there now, or none; one line.
    """
    try:
        found = from_json(read_file(folder / RECORD, LARGEST_RECORD))
    except (OSError, ValueError):
        found = {}
    if found.get("schema_version") != SCHEMA_VERSION:
        found = read_record(folder).model_dump()  # which says what is wrong
    if found["seal"] != record.seal:
        raise ValueError(f"{folder}: was run anew while its page was written; write the pages again")
    return found["epochs"]
