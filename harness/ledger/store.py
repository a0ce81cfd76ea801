"""The store of run records: ``<work_dir>/runs/<name>-<key[:12]>/run.json`` and the files of the run beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from harness.errors import first_of
from harness.ledger.files import NotAFile, read_file, sync_folder, sync_tree, write_text_atomically
from harness.ledger.head import Head, head_of
from harness.ledger.judge import left_alone, predictions_table, problems_of, unreadable
from harness.ledger.layout import check_runs
from harness.ledger.migrate import LeftAlone, migrate
from harness.ledger.record import SCHEMA_VERSION, RunRecord, seal_of
from harness.ledger.redo_advice import redo_advice
from harness.ledger.run_dir import LOCK, PASSING, PREDICTIONS, RECORD, RUNS
from harness.ledger.verdicts import Verdicts, stamp_of, verdicts_of
from harness.system.gc_pause import gc_paused

if TYPE_CHECKING:  # pandas takes longer to import than a ledger to read
    import pandas as pd

LARGEST_RECORD = 64 << 20  # bytes; a record of 1000 epochs with 20 losses has 1 MiB


@dataclass(frozen=True)
class Rejected:
    """A run directory whose record cannot be trusted, and why.

    Attributes:
        advice: what to do about it, "" where the reason says so.
    """

    path: Path
    reason: str
    advice: str = ""

    @property
    def line(self) -> str:
        return f"{self.reason}; {self.advice}" if self.advice else self.reason


def runs_dir(work_dir: Path) -> Path:
    return Path(work_dir) / RUNS


_folders: dict[Path, tuple[int, dict[str, str]]] = {}  # runs folder -> its time of change, head of a key -> folder


def folder_name(name: str, key: str) -> str:
    """What a new run's folder is called."""
    return f"{name}-{key[:12]}".replace("/", "_")


def run_dir(work_dir: Path, name: str, key: str) -> Path:
    """The directory of a run: a readable name and the head of its key.

    Equal keys are one run: where it was made under the name of another cell, that is its directory.
    """
    root = runs_dir(work_dir)
    own = folder_name(name, key)
    return root / (_folders_by_key(root).get(key[:12], own) if not (root / own).exists() else own)


def _folders_by_key(root: Path) -> dict[str, str]:
    try:
        stamp = os.stat(root).st_mtime_ns
    except OSError:
        return {}
    known = _folders.get(root)
    if known is None or known[0] != stamp:
        names = sorted(n for n in os.listdir(root) if not n.startswith(".") and n[-13:-12] == "-")
        known = _folders[root] = (stamp, {n[-12:]: n for n in reversed(names)})
    return known[1]


def write_record(directory: Path, record: RunRecord, check: Callable[[], None] = lambda: None) -> RunRecord:
    """Seal a record and write ``run.json`` atomically; it is the last file of a run:
    its presence means the run is over.

    All that the run wrote is forced to the disk first, so that after a power cut too a record stands beside its
    outputs.

    Args:
        check: called right before the rename, for the run's lock; what it raises leaves the ledger as it was.

    Raises:
        ValueError: the record could not be read again (a number that is not finite, for example).
    """
    try:
        sealed = RunRecord.model_validate_json(record.model_dump_json())
    except ValidationError as e:
        raise ValueError(f"{Path(directory) / RECORD}: {_first(e)}") from None
    sealed.seal = seal_of(sealed)
    directory = Path(directory)
    sync_tree(directory, leave_out=(*PASSING, LOCK))
    write_text_atomically(directory / RECORD, sealed.model_dump_json(indent=1) + "\n", check=check)
    sync_folder(directory.parent)
    return sealed


def read_record(directory: Path) -> RunRecord:
    """Read one record without judging it.

    Raises:
        FileNotFoundError: there is no record.
        LeftAlone: a newer harness wrote it, or it cannot be read now.
        ValueError: it is no record, one line.
    """
    path = Path(directory, RECORD)
    try:
        raw = read_file(path, LARGEST_RECORD)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path}: no record") from None
    except NotAFile as e:
        raise ValueError(str(e)) from None
    except OSError as e:
        raise left_alone(path, e) if unreadable(e) else ValueError(f"{path}: cannot be read ({e.strerror})") from None
    return _present_record(raw) or _other_record(raw, path)


def load_record(directory: Path, verdicts: Verdicts | None = None) -> RunRecord:
    """Read one record and judge it (docs/architecture.md, rule 3; ``judge.problems_of``).

    Args:
        verdicts: those that were reached before, None to read every file of the run anew.

    Raises:
        FileNotFoundError: there is no record.
        LeftAlone: a newer harness wrote it, or a file of the run cannot be read now.
        ValueError: it is corrupt, foreign, edited, or disagrees with the run's files.
    """
    folder = Path(directory)
    stamp = stamp_of(folder) if verdicts else []
    record = read_record(folder)
    problems = verdicts.problems(folder, record, stamp) if verdicts else problems_of(folder, record)
    if problems:
        raise ValueError(f"{folder / RECORD}: {first_of(problems)}")
    return record


def _present_record(raw: bytes) -> RunRecord | None:
    """A sound record of the present schema, parsed in one go; None for anything else."""
    try:
        record = RunRecord.model_validate_json(raw)
    except ValidationError:
        return None
    said = "schema_version" in record.model_fields_set
    return record if said and record.schema_version == SCHEMA_VERSION else None


def _other_record(raw: bytes, path: Path) -> RunRecord:
    """A record of an older schema. Raises ValueError that says what is wrong with any other."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as e:
        raise ValueError(f"{path}: corrupt ({e})") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: corrupt (not an object)")
    try:
        return RunRecord.model_validate(migrate(data, path))
    except ValidationError as e:
        raise ValueError(f"{path}: not a run record ({_first(e)})") from None


def _first(e: ValidationError) -> str:
    err = e.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, err['loc']))}: {err['msg']}"


def load_predictions(directory: Path) -> pd.DataFrame:
    """Predictions of every test clip: ``clip_id`` str, ``subject`` str, ``label`` int,
    ``scores`` float32 array [classes].
    """
    return predictions_table(Path(directory) / PREDICTIONS).to_pandas()


def load_records(
    work_dir: Path, anew: bool = False, keep: Callable[[RunRecord], RunRecord] = lambda record: record
) -> tuple[dict[str, tuple[Path, RunRecord]], list[Rejected]]:
    """All valid records of a work dir by key, with their directories, and those that were rejected with the reason.

    Args:
        anew: read every file of every run, whatever was found before.
        keep: makes of each record, when it was judged, what stays in memory.

    Raises:
        NotADirectoryError: something else has the place of the folder of runs; one line.
    """
    with gc_paused():
        return _load(work_dir, anew, lambda folder, verdicts: keep(load_record(folder, verdicts)))


def load_heads(work_dir: Path, anew: bool = False) -> tuple[dict[str, tuple[Path, Head]], list[Rejected]]:
    """``load_records``, of each no more than its head: one record at a time is in memory, and one that was found valid
    before and has not changed is not read again.
    """
    with gc_paused():
        return _load(work_dir, anew, _load_head)


def _load_head(folder: Path, verdicts: Verdicts) -> Head:
    return verdicts.head(folder) or head_of(load_record(folder, verdicts))


Loaded = TypeVar("Loaded", RunRecord, Head)


def _load(
    work_dir: Path, anew: bool, load: Callable[[Path, Verdicts], Loaded]
) -> tuple[dict[str, tuple[Path, Loaded]], list[Rejected]]:
    check_runs(work_dir)
    records: dict[str, tuple[Path, Loaded]] = {}
    rejected: list[Rejected] = []
    verdicts = verdicts_of(Path(work_dir))
    if anew:
        verdicts.known.clear()
    for folder in folders_of(runs_dir(work_dir)):
        try:
            record = load(folder, verdicts)
        except FileNotFoundError:
            continue  # a run that is not over, or no run at all
        except LeftAlone as e:
            rejected.append(Rejected(folder, str(e)))
            continue
        except ValueError as e:
            rejected.append(Rejected(folder, str(e), redo_advice(folder)))
            continue
        if record.key in records:
            first = records[record.key][0].name
            rejected.append(Rejected(folder, f"{folder / RECORD}: the same run (key {record.key[:12]}) as {first}"))
            continue
        records[record.key] = (folder, record)
    verdicts.save()
    return records, rejected


def folders_of(root: Path) -> list[Path]:
    """What lies in a folder of runs, by name."""
    try:
        names = os.listdir(root)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [root / n for n in sorted(names) if not n.startswith(".")]
