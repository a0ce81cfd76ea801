"""What runs on held-out training subjects say of the values that were tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import BadUsage
from harness.ledger.judge import read_predictions
from harness.ledger.run_dir import PREDICTIONS
from harness.ledger.store import load_record
from harness.plan.run_state import folder_of
from harness.plan.workspace import Workspace
from mtcd_plugin.accuracy import predicted_classes


@dataclass(frozen=True, eq=False)
class Tried:
    """One value for one entry: which of the held-out clips it has right, for each seed that was measured.

    Attributes:
        value: a rate, or what loss weights are multiplied by.
        own_value: the config's own; None where stages that train for it have several.
        correct: bool [seeds, clips], clips in order of their id.
        subjects: of each clip.
    """

    value: float
    own_value: float | None
    correct: np.ndarray
    subjects: tuple[str, ...]

    @property
    def own(self) -> bool:
        return self.value == self.own_value

    @property
    def mean(self) -> float | None:
        return float(self.correct.mean()) if len(self.correct) else None


def parse_values(text: str, option: str, noun: str, example: str) -> list[float]:
    """``5e-4,1e-3`` as numbers. Raises BadUsage for what is not a positive number."""
    values = []
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            value = -1.0
        if not 0 < value < float("inf"):
            raise BadUsage(f"{option} {text}: '{part.strip()}' is not a valid {noun}; give numbers such as {example}")
        values.append(value)
    return sorted(set(values))


def tried(ws: Workspace, work_dir: Path, own_values: Mapping[str, float | None]) -> dict[str, list[Tried]]:
    """What the runs of a work dir say of cells whose variants are ``<what>=<value>``, by entry, values in order.

    Args:
        own_values: of each entry, see ``Tried``.

    Raises:
        ValueError: the predictions of a run cannot be read.
    """
    found: dict[str, dict[float, list[Path]]] = {}
    for cell in ws.cells:
        runs = found.setdefault(cell.entry.name, {}).setdefault(float(cell.variant.partition("=")[2]), [])
        key = ws.plan.keys.get((cell.id, cell.seed))
        if key is None:
            continue
        folder = folder_of(ws.plan.jobs[key], work_dir)
        try:
            record = load_record(folder)
        except FileNotFoundError:
            continue
        if record.metrics is not None:
            runs.append(folder)
    return {
        name: [_tried(value, own_values[name], folders) for value, folders in sorted(by_value.items())]
        for name, by_value in found.items()
    }


def _tried(value: float, own_value: float | None, folders: list[Path]) -> Tried:
    answers = [_answers(folder) for folder in folders]
    subjects = answers[0][1] if answers else ()
    return Tried(value, own_value, np.array([correct for correct, _ in answers], dtype=bool), subjects)


def _answers(folder: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """(which clips a run has right, bool [clips]; their subjects), by clip id."""
    clips, subjects, labels, scores = read_predictions(folder / PREDICTIONS)
    order = sorted(range(len(clips)), key=clips.__getitem__)
    return (predicted_classes(scores) == labels)[order], tuple(subjects[i] for i in order)
