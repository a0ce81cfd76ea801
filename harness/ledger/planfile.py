"""``plan.json``: which run answers which cell, written at each planning and read by the reports."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from harness.ledger.files import NotAFile, read_file, write_text_atomically
from harness.ledger.judge import unreadable
from harness.ledger.migrate import newer
from harness.ledger.record import Strict, seal_of, seal_of_content

SCHEMA_VERSION = 4
ANEW = "`run` or `run-all` writes it anew"  # `plan` writes nothing
LARGEST_PLAN = 1 << 30  # bytes; a cell has about one thousand


class PlannedCell(Strict):
    """One cell of the suite, tied to the run that answers it by the run's key."""

    id: str  # "<model>" or "<model>+<variant>"
    model: str
    method: str
    title: str
    dataset: str
    stage: str
    train_modalities: list[str]
    test_modality: str
    variant: str = ""
    overrides: dict[str, Any] = Field(default_factory=dict)
    seed: int
    key: str  # "" where the cell could not be planned
    error: str = ""  # why it could not be planned, one line
    used_by: list[str] = Field(default_factory=list)  # tables and figures that show it


class PlanFile(Strict):
    """The last plan of a work dir."""

    schema_version: int = SCHEMA_VERSION
    profile: str
    tables: list[str]  # tables and figures that were asked for
    seeds: int
    commit: str = ""
    synthetic: list[str] | None = None  # data sets of which cells read generated clips; None: planned before version 3
    clips: dict[str, tuple[int, int]] = Field(default_factory=dict)  # classes and subjects of real ones, by data set
    cells: list[PlannedCell]
    seal: str = ""  # ``seal_of`` the plan, set when it is written


class EditedPlan(ValueError):
    """A plan that was changed since the planner wrote it: which run answers which cell cannot be taken from it."""


def write_plan(path: Path, plan: PlanFile) -> None:
    """Raises NewerSchema where a newer harness has planned here: its plan is not replaced."""
    with suppress(FileNotFoundError):
        refuse_newer(path, read_file(path, LARGEST_PLAN))
    sealed = PlanFile.model_validate_json(plan.model_dump_json())
    sealed.seal = seal_of(sealed)
    write_text_atomically(path, sealed.model_dump_json(indent=1) + "\n")


def refuse_newer(path: Path, text: str | bytes) -> None:
    try:
        version = json.loads(text).get("schema_version")
    except (ValueError, AttributeError, RecursionError):
        return  # not a plan: reading says so, writing replaces it
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise newer(path, version, SCHEMA_VERSION)


def read_plan(path: Path) -> PlanFile:
    """Raises FileNotFoundError or ValueError with one clear line;
    EditedPlan for one that the planner did not write so.
    """
    try:
        text = read_file(path, LARGEST_PLAN).decode()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}: nothing planned here yet; `python -m harness run` or `run-all` plans"
        ) from None
    except NotAFile as e:
        raise ValueError(f"{e}; move it away, and {ANEW}") from None
    except OSError as e:
        raise ValueError(
            f"{path}: cannot be read ({e.strerror}); change its permissions, or see to its disk"
            if unreadable(e)
            else f"{path}: cannot be read ({e.strerror}); move it away, and {ANEW}"
        ) from None
    except ValueError as e:
        raise ValueError(f"{path}: cannot be read ({e}); move it away, and {ANEW}") from None
    refuse_newer(path, text)
    try:
        plan = PlanFile.model_validate_json(text)
    except ValidationError as e:
        err = e.errors()[0]
        said = ": ".join(filter(None, (".".join(map(str, err["loc"])), err["msg"])))  # of no place where it is no JSON
        raise ValueError(f"{path}: not a plan ({said}); {ANEW}") from None
    if plan.seal != seal_of_content(json.loads(text)):
        raise EditedPlan(f"{path}: edited since the planner wrote it; {ANEW}")
    return plan
