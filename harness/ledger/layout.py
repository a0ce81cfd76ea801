"""The kind, file or folder, of everything in a ledger, and what has the place of something of the other kind."""

from __future__ import annotations

from pathlib import Path

from harness.ledger.files import NotAFile, kind_of
from harness.ledger.run_dir import (
    CHECKPOINT,
    LOCK,
    LOG,
    LOGS,
    PAGES,
    PASSING,
    PLAN,
    PREDICTIONS,
    PROGRESS,
    RECORD,
    RENDERED,
    RUNS,
    SPEC,
    STATISTICS,
    SUBMITTED,
    VERDICTS,
)

OF_A_RUN = dict.fromkeys((RECORD, PREDICTIONS, CHECKPOINT, SPEC, LOG, PROGRESS, SUBMITTED), "file") | dict.fromkeys(
    (*RENDERED, *PASSING, LOCK), "folder"
)
OF_A_WORK_DIR = dict.fromkeys((PLAN, PAGES, STATISTICS, VERDICTS), "file") | dict.fromkeys((RUNS, LOGS), "folder")


def misplaced(folder: Path) -> dict[str, str]:
    """Name -> what is wrong, for what lies in a run's folder and is of the wrong kind; "" names the folder itself.

    Nothing is said of a folder that this user may not enter: reading its record says that (``judge.left_alone``).
    """
    own = kind_of(folder)
    if own != "folder":
        return {"": f"is a {own}, where a run's folder belongs"} if own else {}
    try:
        kinds = {name: kind_of(Path(folder) / name) for name in OF_A_RUN}
    except PermissionError:
        return {}
    if (Path(folder) / LOCK).is_symlink():  # no claim is made through one
        kinds[LOCK] = "link"
    return {n: f"is a {kinds[n]}, where a {kind} belongs" for n, kind in OF_A_RUN.items() if kinds[n] not in ("", kind)}


def misplaced_beside(work_dir: Path) -> dict[str, str]:
    """The same for the files and folders of a work dir itself."""
    found = {}
    for name, right in OF_A_WORK_DIR.items():
        path = Path(work_dir) / name
        kind = kind_of(path)
        if not kind and right == "folder" and path.is_symlink():  # none can be made there; a file takes a link's place
            kind = "link to nothing"
        if kind not in ("", right):
            found[name] = f"is a {kind}, where a {right} belongs; move it away"
    return found


def check_files(work_dir: Path) -> None:
    """Raises NotAFile where something else has the place of one of a work dir's files or folders."""
    for name, what in misplaced_beside(work_dir).items():
        raise NotAFile(f"{Path(work_dir) / name}: {what}")


def check_runs(work_dir: Path) -> None:
    """Raises NotADirectoryError where something else has the place of the folder of runs: they are not just missing."""
    if what := misplaced_beside(work_dir).get(RUNS):
        raise NotADirectoryError(f"{Path(work_dir) / RUNS}: {what}")
