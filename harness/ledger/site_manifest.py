"""The files that a report wrote, with their hashes, in the site itself: what may be replaced,
and what may be published.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from harness.errors import BadUsage
from harness.ledger.files import sha256_of, write_text_atomically
from harness.system.disk import check_writable

MANIFEST = ".leaderboard"  # only a folder or a branch with this file is ever replaced
NOTE = "Written by "  # what earlier versions left in it instead of a list begins so
OWN_DOMAIN = "CNAME"  # a static host's file with the site's domain: the user's, and published with the pages


def check_site(site: Path, work_dir: Path) -> None:
    """Raises BadUsage where ``site`` cannot be replaced without a loss, OSError where it cannot be written.

    Nothing is.
    """
    site, work_dir = Path(site), Path(work_dir)
    if site.exists() and not site.is_dir():
        raise BadUsage(f"{site}: is a file; choose another folder with --site")
    if site.is_dir() and any(site.iterdir()) and not (site / MANIFEST).is_file():
        raise BadUsage(
            f"{site}: holds files that are not a leaderboard and would be lost; choose another folder with --site"
        )
    if (site / MANIFEST).is_file():
        text = (site / MANIFEST).read_text(encoding="utf-8", errors="replace")
        check_manifest(text, site / MANIFEST, "move these away and delete the folder, or choose another with --site")
    if site.resolve() == work_dir.resolve() or site.resolve() in work_dir.resolve().parents:
        raise BadUsage(f"{site}: holds the work dir {work_dir}; choose another folder with --site")
    check_writable(site if site.exists() else site.parent, "--site")


def write_manifest(
    site: Path,
    made_from: Mapping[str, Mapping[str, str | list[str]]] | None = None,
    running: str = "",
    known: Mapping[str, str] | None = None,
) -> None:
    """List every file of a folder that holds nothing but pages.

    Args:
        made_from: kept in it for the next report, see ``reports.site.unchanged``.
        running: when the pages were written, where they say that jobs run.
        known: path -> sha256 of files whose content was just read.
    """
    known = known or {}
    files = {name: known.get(name) or sha256_of(site / name) for name in files_below(site)}
    more = {"running": running} if running else {}
    about = {
        "written_by": "python -m harness report",
        "files": files,
        "made_from": dict(sorted((made_from or {}).items())),
        **more,
    }
    text = json.dumps(about, indent=1)
    write_text_atomically(site / MANIFEST, text + "\n")


def files_below(folder: Path) -> list[str]:
    """Paths of all files and links below a folder, with slashes, sorted. Linked folders are not entered."""
    found = []
    for root, folders, names in os.walk(folder):
        place = Path(root).relative_to(folder).as_posix()
        names += [name for name in folders if os.path.islink(os.path.join(root, name))]
        found += names if place == "." else [f"{place}/{name}" for name in names]
    return sorted(found)


def read_manifest(text: str) -> dict[str, str] | None:
    """Path -> sha256 of what a report wrote; None for the note that earlier versions left instead of a list."""
    try:
        files = json.loads(text)["files"]
        return {str(name): str(sha256) for name, sha256 in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def check_manifest(text: str, place: Path | str, advice: str) -> None:
    """Raises BadUsage for what is neither a list nor the note of earlier versions: without one every file would pass
    for a page that may go."""
    if read_manifest(text) is None and not text.startswith(NOTE):
        raise BadUsage(
            f"{place}: is damaged, so that nothing says which files a report wrote and which are your own; {advice}"
        )


def running_since(text: str) -> str:
    """When pages were written that say that jobs run; "" where they do not say so."""
    try:
        return str(json.loads(text).get("running", ""))
    except (ValueError, AttributeError):
        return ""


def not_written(names: Iterable[str], manifest: dict[str, str] | None) -> list[str]:
    """Those of a leaderboard's files that no report wrote.

    Without a list every file but ``CNAME`` counts as written.
    """
    if manifest is None:
        return [n for n in names if n == OWN_DOMAIN]
    return [n for n in names if n != MANIFEST and n not in manifest]


def overlap(kept: Iterable[str], new: Iterable[str]) -> str:
    """The first of the kept paths that is also a new file, a folder of one, or below one; "" where there is none."""
    new = set(new)
    folders = {str(p) for n in new for p in PurePosixPath(n).parents}
    return next(
        (k for k in kept if k in new or k in folders or any(str(p) in new for p in PurePosixPath(k).parents)), ""
    )
