"""Whether a run's record is valid: decided here for ``status``, ``run``, ``report`` and ``verify`` alike.

What a record says is held against its identity (whose hash is its key), against the files of its folder, and against
its seal. An edit of any of them is found. Somebody who computes every hash anew is not: the ledger protects from
accidents and from careless hands, not from forgers.
"""

from __future__ import annotations

import errno
import hashlib
import os
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import one_line
from harness.ledger.files import NotAFile, kind_of, open_file, sha256_of
from harness.ledger.identity import canonical_json, run_key
from harness.ledger.migrate import LeftAlone
from harness.ledger.record import DataInfo, Metrics, RunRecord, seal_of
from harness.ledger.run_dir import CHECKPOINT, PREDICTIONS, RENDERED

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def problems_of(folder: Path, record: RunRecord) -> list[str]:
    """What is wrong with a run, one line each; [] for a valid one.

    Args:
        folder: the run's folder.
        record: as read from its ``run.json``.

    Raises:
        LeftAlone: a file of it cannot be read, see ``unreadable``.
    """
    try:
        problems = [*_own(record), *_of_data(record), *_of_files(Path(folder), record)]
    except OSError as e:
        if unreadable(e):
            raise left_alone(Path(e.filename or folder), e) from None
        return [one_line(e)]
    except ValueError as e:
        return [one_line(e)]
    if not problems and record.seal != seal_of(record):
        problems = [
            "edited since it was written" if record.seal else "without a seal: written by an older harness, or edited"
        ]
    return problems


def unreadable(error: OSError) -> bool:
    """Whether the system could not read what may be sound: this user may not, the disk or its server does not answer,
    too many files are open. Nothing, a folder or a loop of links in the place of a file is damage."""
    return error.errno not in (None, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP)


def left_alone(path: Path, error: OSError) -> LeftAlone:
    return LeftAlone(
        f"{path}: cannot be read ({error.strerror}); its run is left as it is: change its permissions, or see to its "
        "disk, and start again"
    )


def _own(record: RunRecord) -> Iterator[str]:
    """What the record says about itself."""
    if run_key(record.identity) != record.key:
        yield "its key is not the hash of its identity"
    if record.cell.seed != record.identity.seed:
        yield f"its seed is {record.cell.seed}, that of its identity {record.identity.seed}"
    profile = record.identity.config.get("profile", record.cell.profile)
    if profile != record.cell.profile:
        yield f"its profile is {record.cell.profile}, that of its identity {profile}"
    if record.status == "done" and record.failure is not None:
        yield "done, yet it has a failure"
    if record.status == "failed" and record.failure is None:
        yield "failed, yet it has no reason"
    if record.status == "failed" and record.metrics is not None:
        yield "failed, yet it has metrics"
    if record.status == "done" and record.metrics is None and _classifies(record):
        yield "done, yet it has no metrics"
    if bool(record.adopted) != bool(record.adopted_from) or record.adopted_from == record.key:
        yield "adopted, yet it does not say from which other run"


def _classifies(record: RunRecord) -> bool:
    """Whether the run's config says that it predicts classes."""
    return any(e.get("type") == "ClipPredictions" for e in _evaluators(record))


def _renders(record: RunRecord) -> bool:
    return any(e.get("type") == "PseudoInfraredStore" for e in _evaluators(record))


def _evaluators(record: RunRecord) -> list[dict[str, Any]]:
    found = record.identity.config.get("test_evaluator") or []
    return [e for e in (found if isinstance(found, list) else [found]) if isinstance(e, dict)]


def _of_data(record: RunRecord) -> Iterator[str]:
    """What the record says about the clips."""
    data = record.data
    if data is None:
        return
    said = record.identity.data
    prints: dict[str, str] = {split: said[split] for split in ("train", "test") if split in said}
    if data.fingerprint != data_fingerprint(prints):
        yield "its data fingerprint is not that of its identity"
    elif said.get("info") != info_fingerprint(data):
        yield (
            "what it says about its data (synthetic, clips, subjects, lighting, quarantine, ...) is not what its "
            "identity says"
        )
    both = sorted(set(map(_person, data.train_subjects)) & set(map(_person, data.test_subjects)))
    if both:
        yield f"trained on test subjects: {', '.join(both)}"


def _person(subject: str) -> str:
    return unicodedata.normalize("NFKC", subject).strip().casefold()


def data_fingerprint(prints: dict[str, str]) -> str:
    """sha256 hex of the fingerprints of the splits: ``DataInfo.fingerprint``."""
    return hashlib.sha256(canonical_json(prints).encode()).hexdigest()


def info_fingerprint(data: DataInfo) -> str:
    """sha256 hex of all that is said about the clips: ``Identity.data["info"]``."""
    return hashlib.sha256(canonical_json(data.model_dump()).encode()).hexdigest()


def labels_fingerprint(clips: Iterable[tuple[str, str, int]]) -> str:
    """sha256 hex of clips as (clip id, subject, label), in any order: ``Identity.data["test_labels"]``."""
    rows = sorted([str(i), str(s), int(label)] for i, s, label in clips)
    return hashlib.sha256(canonical_json(rows).encode()).hexdigest()


def _of_files(folder: Path, record: RunRecord) -> Iterator[str]:
    """What lies in the folder."""
    if folder.name[-12:] != record.key[:12]:
        yield f"the record of another run (key {record.key[:12]}) lies in this folder"
    if record.status != "done":
        return
    if record.metrics is not None:
        yield from _of_predictions(folder / PREDICTIONS, record, record.metrics)
    if record.kind == "train" and not record.checkpoint_sha256:
        yield f"done, yet it names no {CHECKPOINT}"
    if record.checkpoint_sha256:
        yield from _of_output(folder / CHECKPOINT, record.checkpoint_sha256)
    if _renders(record) and not record.store_sha256:
        yield "done, yet it names no rendered clips"
    if record.store_sha256:
        kind = kind_of(folder / RENDERED[0])
        if kind != "folder":
            yield f"{RENDERED[0]}: the rendered clips are {f'no folder but a {kind}' if kind else 'gone'}"
        elif sha256_of_rendered(folder) != record.store_sha256:
            yield f"{RENDERED[0]}: the rendered clips changed since the run was recorded"


def _of_output(path: Path, sha256: str) -> Iterator[str]:
    kind = kind_of(path)
    if kind != "file":
        yield f"{path.name} is {f'a {kind}, not a file' if kind else 'gone'}"
    elif path.stat().st_size == 0:
        yield f"{path.name} is empty"
    elif sha256_of(path) != sha256:
        yield f"{path.name} changed since the run was recorded"


def sha256_of_rendered(folder: Path) -> str:
    """sha256 hex of the names and contents of all files that a rendering wrote in a run's folder."""
    digest = hashlib.sha256()
    for name in RENDERED:
        for path in _files_below(folder / name):
            digest.update(f"{path.relative_to(folder).as_posix()}\0{sha256_of(path)}\n".encode())
    return digest.hexdigest()


def _files_below(folder: Path) -> list[Path]:
    """Sorted; none of a folder that is not there. Raises PermissionError where one may not be entered."""

    def fail(error: OSError) -> None:
        if isinstance(error, PermissionError):
            raise error

    found = (Path(place) / name for place, _, names in os.walk(folder, onerror=fail) for name in names)
    return sorted(p for p in found if p.is_file())


def _of_predictions(path: Path, record: RunRecord, metrics: Metrics) -> Iterator[str]:
    from harness.ledger.metrics import metrics_of, same_metrics

    found = list(_of_output(path, record.predictions_sha256))
    if found:
        yield from found
        return
    clips, subjects, labels, scores = read_predictions(path)
    if not same_metrics(metrics_of(scores, labels), metrics):
        yield "its metrics disagree with its predictions"
    if len(set(clips)) != len(clips):
        yield f"{path.name}: a test clip was predicted twice"
    if record.data is None:
        return
    if len(clips) != record.data.test_clips:
        yield f"{path.name}: {len(clips)} predictions for {record.data.test_clips} test clips"
    unknown = sorted(set(subjects) - set(record.data.test_subjects))
    if unknown:
        yield f"{path.name}: predictions of subjects outside the test split: {', '.join(unknown)}"
    classes = scores.shape[1]
    if record.data.classes and classes != len(record.data.classes):
        yield f"{path.name}: {classes} scores a clip for {len(record.data.classes)} classes"
    if labels_fingerprint(zip(clips, subjects, labels.tolist(), strict=True)) != record.identity.data.get(
        "test_labels"
    ):
        yield f"{path.name}: its clips and labels are not those of the test split that its identity names"


def read_predictions(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray, np.ndarray]:
    """Clip ids, subjects, labels int [clips] and scores [clips, classes], without pandas, which is slow to import.

    Raises:
        ValueError: not a predictions file, one line.
    """
    import numpy as np
    import pyarrow as pa

    table = predictions_table(path)
    try:
        lists, labels = table["scores"].combine_chunks(), table["label"].combine_chunks()
        lengths = np.diff(np.from_dlpack(lists.offsets))
        scores, labels = np.from_dlpack(lists.flatten()), np.from_dlpack(labels)
        clips, subjects = _named(path, table.select(["clip_id", "subject"]))
    except (KeyError, AttributeError, TypeError, BufferError, pa.ArrowException) as e:
        raise ValueError(f"{path}: not predictions ({' '.join(str(e).split())})") from None
    if len(lengths) and lengths.min() != lengths.max():
        raise ValueError(f"{path}: clips with {lengths.min()} and clips with {lengths.max()} scores")
    return clips, subjects, labels, scores.reshape(len(labels), -1) if len(labels) else np.empty((0, 0))


_tests: deque[tuple[pa.Table, tuple[str, ...], tuple[str, ...]]] = deque(maxlen=8)  # the last test sets that were read


def _named(path: Path, columns: pa.Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Clip ids and subjects: the same objects for runs that were tested on the same clips, as most of a ledger were."""
    for known, *named in _tests:
        if known.equals(columns):
            return named[0], named[1]
    clips, subjects = (tuple(columns[name].to_pylist()) for name in ("clip_id", "subject"))
    for name, column in (("clip_id", clips), ("subject", subjects)):
        if not all(isinstance(v, str) for v in column):
            raise ValueError(f"{path}: not predictions ({name} is not text in every row)")
    _tests.append((columns, clips, subjects))
    return clips, subjects


def predictions_table(path: Path) -> pa.Table:
    """The columns of a predictions file. Raises FileNotFoundError or ValueError, one line."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_file(path) as file:
            content = pa.BufferReader(file.read())
        return pq.ParquetFile(content, pre_buffer=False).read(use_threads=False)  # threads cost more than they read
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no predictions") from None
    except NotAFile as e:
        raise ValueError(str(e)) from None
    except (pa.ArrowException, OSError) as e:
        raise ValueError(f"{path}: corrupt ({str(e).splitlines()[0]})") from None
