"""How the benchmark is cited: ``CITATION.cff`` as BibTeX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import yaml

NAME = "CITATION.cff"
KINDS = {"software": "software", "unpublished": "unpublished", "article": "article"}
SPECIAL = str.maketrans({c: f"\\{c}" for c in "&%$#_"} | {"{": r"\{", "}": r"\}", "\\": r"\textbackslash{}"})


@dataclass(frozen=True)
class Citation:
    """``bibtex``: the program, then what it asks to be cited with it. ``license``: an SPDX expression."""

    bibtex: str
    license: str
    version: str


def citation(url: str = "") -> Citation | None:
    """What ``CITATION.cff`` says; None where the program was copied without it.

    Args:
        url: where the program lies, where that is known.

    Raises:
        ValueError: it is no citation file.
    """
    text = _text()
    if not text:
        return None
    found = yaml.safe_load(text)
    if not isinstance(found, dict) or not {"title", "authors"} <= found.keys():
        raise ValueError(
            f"{NAME}: no citation file; it needs a title and authors (https://citation-file-format.github.io)"
        )
    own = {"url": url, **found} if url else found
    entries = [_entry(own, "software"), *(_entry(r, "misc") for r in found.get("references", []))]
    return Citation("\n\n".join(entries), str(found.get("license", "")), str(found.get("version", "")))


def _text() -> str:
    """The file beside the package in a checkout, else the copy in the wheel's metadata (``license-files``)."""
    place = Path(__file__).parents[2] / NAME
    if place.is_file():
        return place.read_text(encoding="utf-8")
    try:
        return distribution("mgr-dark-benchmark").read_text(f"licenses/{NAME}") or ""
    except PackageNotFoundError:
        return ""


def _entry(cited: Mapping[str, Any], usual: str) -> str:
    """One entry; what the file does not say, as a year, is not there."""
    authors = " and ".join(_author(a) for a in cited.get("authors", []))
    date = str(cited.get("date-released", "") or cited.get("year", ""))
    fields = {
        "author": authors,
        "title": f"{{{_escaped(cited['title'])}}}",
        "version": _escaped(cited.get("version", "")),
        "year": date[:4],
        "url": str(cited.get("url", "") or cited.get("repository-code", "")),
        "note": _escaped(cited.get("notes", "")),
    }
    lines = ",\n".join(f"  {k} = {{{v}}}" for k, v in fields.items() if v)
    kind = KINDS.get(str(cited.get("type", usual)), "misc")
    key = "".join(c for c in str(cited["title"]).split(":")[0].lower().replace(" ", "-") if c.isalnum() or c == "-")
    return f"@{kind}{{{key},\n{lines}\n}}"


def _author(author: Mapping[str, Any]) -> str:
    """A person as "family, given"; a group in braces, so that its name is not taken apart."""
    if "name" in author:
        return f"{{{_escaped(author['name'])}}}"
    return ", ".join(_escaped(author[k]) for k in ("family-names", "given-names") if k in author)


def _escaped(text: Any) -> str:
    return str(text).translate(SPECIAL)
