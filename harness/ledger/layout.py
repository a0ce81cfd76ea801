"""The kind, file or folder, of everything in a ledger, and what has the place of something of the other kind."""

from __future__ import annotations

from pathlib import Path

from harness.ledger.files import NotAFile, kind_of
from harness.ledger.run_dir import (
    CHECKPOINT,
    LOCK,
    LOG,
    PAGES,
    PASSING,
    PLAN,
    PREDICTIONS,
    PROGRESS,
    RECORD,
    RENDERED,
    SPEC,
    STATISTICS,
    SUBMITTED,
    VERDICTS,
)

OF_A_RUN = dict.fromkeys((RECORD, PREDICTIONS, CHECKPOINT, SPEC, LOG, PROGRESS, SUBMITTED), "file") | dict.fromkeys(
    (*RENDERED, *PASSING, LOCK), "folder"
)
OF_A_WORK_DIR = (PLAN, PAGES, STATISTICS, VERDICTS)


def misplaced(folder: Path) -> dict[str, str]:
    """Name -> what is wrong, for what lies in a run's folder and is of the wrong kind; "" names the folder itself."""
    own = kind_of(folder)
    if own != "folder":
        return {"": f"is a {own}, where a run's folder belongs"} if own else {}
    kinds = {name: kind_of(Path(folder) / name) for name in OF_A_RUN}
    if (Path(folder) / LOCK).is_symlink():  # no claim is made through one
        kinds[LOCK] = "link"
    return {n: f"is a {kinds[n]}, where a {kind} belongs" for n, kind in OF_A_RUN.items() if kinds[n] not in ("", kind)}


def misplaced_beside(work_dir: Path) -> dict[str, str]:
    """The same for the files of a work dir itself."""
    kinds = {name: kind_of(Path(work_dir) / name) for name in OF_A_WORK_DIR}
    return {
        n: f"is a {kind}, where a file belongs; move it away" for n, kind in kinds.items() if kind not in ("", "file")
    }


def check_files(work_dir: Path) -> None:
    """Raises NotAFile where something else has the place of one of a work dir's files."""
    for name, what in misplaced_beside(work_dir).items():
        raise NotAFile(f"{Path(work_dir) / name}: {what}")
