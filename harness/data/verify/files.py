"""Findings about the files of a data set: content that changed unseen, and files that no annotation names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.data.verify.finding import Finding
from mtcd_plugin.formats.clips import Clip
from mtcd_plugin.formats.content import renew_content


def content_findings(root: Path, paths: list[str]) -> list[Finding]:
    """Read the content of all files into the cache of hashes;
    a finding where it had another one of a file whose size and times are the same."""
    changed = sorted(renew_content(paths))
    if not changed:
        return []
    text = (
        f"{len(changed)} files have other content than when they were read last, with the same size and times; the "
        f"first is {Path(changed[0]).relative_to(root)}"
    )
    remedy = "nothing to do now: runs on the old content are stale from here on; find out what wrote to the files"
    return [Finding("", "warning", "content", text, remedy)]


def unlisted(root: Path, clips: Iterable[Clip], folder: str, suffix: str) -> list[Finding]:
    """A note where video files lie below ``folder`` that no clip names."""
    listed = {s.path for c in clips for s in c.streams.values()}
    extra = sorted(str(p) for p in (root / folder).rglob(f"*{suffix}") if str(p) not in listed)
    if not extra:
        return []
    first = Path(extra[0]).relative_to(root)
    text = f"{len(extra)} video files below {folder}/ are in no annotation, the first is {first}"
    return [Finding("", "note", "files", text, "nothing to do, or add them to the annotation")]
