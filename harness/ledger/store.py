"""The store of run records: ``<work_dir>/runs/<name>-<key[:12]>/run.json`` and ``predictions.parquet``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.garbage import uncollected
from harness.ledger.files import sha256_of, write_text_atomically
from harness.ledger.migrate import migrate
from harness.ledger.record import SCHEMA_VERSION, RunRecord

if TYPE_CHECKING:  # numpy and pyarrow take longer to import than a ledger to read: only where predictions are
    import numpy as np
    import pandas as pd
    import pyarrow as pa

RECORD = "run.json"
PREDICTIONS = "predictions.parquet"


@dataclass(frozen=True)
class Rejected:
    """A run directory whose record cannot be trusted, and why."""

    path: Path
    reason: str


def runs_dir(work_dir: Path) -> Path:
    return Path(work_dir) / "runs"


def run_dir(work_dir: Path, name: str, key: str) -> Path:
    """The directory of a run: a readable name and the head of its key."""
    return Path(work_dir, "runs", f"{name}-{key[:12]}")


def write_record(directory: Path, record: RunRecord) -> None:
    """Write ``run.json`` atomically; it is the last file of a run, so its presence means the run is over."""
    write_text_atomically(Path(directory) / RECORD, record.model_dump_json(indent=1) + "\n")


def load_record(directory: Path, check_predictions: bool = True) -> RunRecord:
    """Read one record and hold it against its predictions (design, rule 3).

    Raises:
        FileNotFoundError: there is no record.
        ValueError: it is corrupt, of a newer schema, foreign, or disagrees with its predictions.
    """
    path = Path(directory, RECORD)
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no record") from None
    record = _present_record(raw) or _other_record(raw, path)
    if check_predictions and record.metrics is not None:
        _check(Path(directory), record)
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
    except (json.JSONDecodeError, UnicodeDecodeError) as e:
        raise ValueError(f"{path}: corrupt ({e}); remove the folder to run it again") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: corrupt (not an object); remove the folder to run it again")
    try:
        return RunRecord.model_validate(migrate(data, path))
    except ValidationError as e:
        err = e.errors()[0]
        raise ValueError(
            f"{path}: not a run record ({'.'.join(map(str, err['loc']))}: {err['msg']})"
        ) from None


_agreeing: set[tuple] = set()  # predictions, by their sha256, and metrics that were held against each other


def _check(directory: Path, record: RunRecord) -> None:
    from harness.ledger.metrics import metrics_of, same_metrics

    path = directory / PREDICTIONS
    if not path.is_file():
        raise ValueError(f"{path}: missing, so the record's metrics have nothing to stand on")
    if sha256_of(path) != record.predictions_sha256:
        raise ValueError(f"{path}: changed since the run was recorded")
    known = record.predictions_sha256, record.metrics.top1, record.metrics.top5, record.metrics.mean_class
    if known in _agreeing:
        return
    if not same_metrics(metrics_of(*_scores_and_labels(path)), record.metrics):
        raise ValueError(f"{directory / RECORD}: its metrics disagree with its predictions")
    _agreeing.add(known)


def load_predictions(directory: Path) -> pd.DataFrame:
    """Predictions of every test clip: ``clip_id`` str, ``subject`` str, ``label`` int, ``scores`` float32 array [classes]."""
    return _columns(Path(directory) / PREDICTIONS).to_pandas()


def _columns(path: Path, names: list[str] | None = None) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read(names)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no predictions") from None
    except pa.ArrowException as e:
        raise ValueError(f"{path}: corrupt ({str(e).splitlines()[0]})") from None


def _scores_and_labels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Scores [clips, classes] and labels [clips] of a predictions file, without pandas, which is slow to import."""
    import numpy as np
    import pyarrow as pa

    table = _columns(path, ["label", "scores"])
    try:
        lists, labels = table["scores"].combine_chunks(), table["label"].combine_chunks()
        lengths = np.diff(np.from_dlpack(lists.offsets))
        scores, labels = np.from_dlpack(lists.flatten()), np.from_dlpack(labels)
    except (KeyError, AttributeError, TypeError, pa.ArrowException) as e:
        raise ValueError(f"{path}: not predictions ({' '.join(str(e).split())})") from None
    if len(set(lengths.tolist())) > 1:
        raise ValueError(f"{path}: clips with {lengths.min()} and clips with {lengths.max()} scores")
    return scores.reshape(len(labels), -1) if len(labels) else np.empty((0, 0)), labels


def load_records(
    work_dir: Path, check_predictions: bool = True
) -> tuple[dict[str, tuple[Path, RunRecord]], list[Rejected]]:
    """All records of a work dir by key, with their directories, and those that were rejected with the reason."""
    with uncollected():
        return _load_records(work_dir, check_predictions)


def _load_records(
    work_dir: Path, check_predictions: bool
) -> tuple[dict[str, tuple[Path, RunRecord]], list[Rejected]]:
    records: dict[str, tuple[Path, RunRecord]] = {}
    rejected: list[Rejected] = []
    root = runs_dir(work_dir)
    for name in sorted(os.listdir(root)) if root.is_dir() else ():
        folder = root / name
        try:
            record = load_record(folder, check_predictions)
        except (FileNotFoundError, NotADirectoryError):
            continue  # a run that is not over, or no run at all
        except ValueError as e:
            rejected.append(Rejected(folder, str(e)))
            continue
        if name[-12:] != record.key[:12]:
            said = f"the record of another run (key {record.key[:12]}) lies in this folder"
            rejected.append(Rejected(folder, f"{folder / RECORD}: {said}"))
            continue
        records[record.key] = (folder, record)
    return records, rejected
