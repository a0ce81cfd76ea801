"""Reading the predictions of an earlier run: clips, their labels and their scores."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mtcd_plugin.formats.regular import regular_stat


class Predictions(NamedTuple):
    """``labels``: int [clips]. ``scores``: float64 [clips, classes]. Clips are in the order of their ids."""

    clip_ids: tuple[str, ...]
    labels: np.ndarray
    scores: np.ndarray


def read_predictions(path: str, what: str) -> Predictions:
    """Read a file as :class:`ClipPredictions` writes it.

    Args:
        path: the parquet file.
        what: how messages call it, e.g. ``"model.members.rgb.predictions"``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, holds something else, a clip twice, or scores that are not finite.
    """
    try:
        regular_stat(Path(path))
        table = pq.ParquetFile(path).read(columns=["clip_id", "label", "scores"])
    except FileNotFoundError:
        raise FileNotFoundError(f"{what}: {path} does not exist; test that network first") from None
    except (pa.ArrowException, OSError) as e:
        raise ValueError(f"{what}: {path} is damaged or holds no predictions ({_first_line(e)})") from None
    if missing := {"clip_id", "label", "scores"} - set(table.column_names):
        raise ValueError(f"{what}: {path} holds no predictions: it has no column {', '.join(sorted(missing))}")
    rows = sorted(table.to_pylist(), key=lambda row: str(row["clip_id"]))
    ids = tuple(row["clip_id"] for row in rows)
    if not ids:
        raise ValueError(f"{what}: {path} holds no clip")
    if twice := [a for a, b in zip(ids, ids[1:], strict=False) if a == b]:
        raise ValueError(f"{what}: {path} holds clip {twice[0]} twice")
    try:
        scores = np.array([row["scores"] for row in rows], dtype=np.float64)
        labels = np.array([row["label"] for row in rows], dtype=np.int64)
    except (TypeError, ValueError):
        raise ValueError(f"{what}: {path} holds clips without a label, or with other numbers of scores") from None
    if scores.ndim != 2 or not scores.shape[1] or not np.isfinite(scores).all():
        raise ValueError(f"{what}: {path} holds clips without scores, or scores that are not finite")
    return Predictions(ids, labels, scores)


def _first_line(e: BaseException) -> str:
    return (str(e).splitlines() or [type(e).__name__])[0]
