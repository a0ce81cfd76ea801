"""Pages that an earlier report wrote from the same, which are taken over as they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from harness.ledger.files import read_file, writing_to
from harness.ledger.site_manifest import MANIFEST
from harness.system.libraries import libraries

CODE = Path(__file__).resolve().parents[2]
FOLDERS = ("reports", "harness/ledger", "harness/suite", "mtcd_plugin/accuracy.py")  # what pages of runs are made with
LARGEST = 1 << 28  # bytes of a manifest, and of a page with its files


class MadeFrom(BaseModel):
    """``digest``: of what a page follows from. ``files``: what belongs to it."""

    digest: str
    files: list[str]


class _Manifest(BaseModel):
    files: dict[str, str]
    made_from: dict[str, MadeFrom]


class Unchanged:
    """Takes pages over from the site that is there. ``made_from`` is what the manifest of the new one is to hold;
    ``hashes`` has the sha256 of the files that were taken or noted.

    A file that was edited since, or that is named otherwise than its page, is not taken.
    """

    def __init__(self, old: Path, new: Path) -> None:
        self.old, self.new = old, new
        self.made_from: dict[str, Mapping[str, str | list[str]]] = {}
        self.hashes: dict[str, str] = {}
        self._known = _Manifest(files={}, made_from={})
        with suppress(OSError, ValueError):  # none, or of an earlier version: every page is written anew
            self._known = _Manifest.model_validate_json(read_file(old / MANIFEST, LARGEST))

    def take(self, path: str, digest: str) -> bool:
        """Take a page over with its files, where the old site has them as written from the same; else nothing."""
        known = self._known.made_from.get(path)
        if known is None or known.digest != digest:
            return False
        stem = path.removesuffix("html")
        contents = {}
        for name in (path, *known.files):
            if not name.startswith(stem) or "/" in name.removeprefix(stem) or (self.old / name).is_symlink():
                return False
            try:
                contents[name] = read_file(self.old / name, LARGEST)
            except (OSError, ValueError):
                return False
            if hashlib.sha256(contents[name]).hexdigest() != self._known.files.get(name):
                return False
        for name, content in contents.items():
            (self.new / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(self.old / name, self.new / name)  # the old site goes: no use to write it all again
            except OSError:  # a file system without links, or another user's file
                with writing_to(self.new / name):
                    (self.new / name).write_bytes(content)
        self.note(path, digest, {name: self._known.files[name] for name in contents})
        return True

    def note(self, path: str, digest: str, hashes: Mapping[str, str]) -> None:
        """Remember what a page of the new site was made from, and the sha256 of it and of each file beside it."""
        self.hashes.update(hashes)
        self.made_from[path] = {"digest": digest, "files": [name for name in hashes if name != path]}


@cache
def code_digest() -> str:
    """Changes with the code that makes pages and with the libraries that it goes by."""
    digest = hashlib.sha256(libraries().encode())
    for place in FOLDERS:
        root = CODE / place
        for path in sorted(root.rglob("*") if root.is_dir() else [root]):
            if path.suffix in (".py", ".j2"):
                digest.update(f"{path.relative_to(CODE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
