"""Modalities: their ids, and what they are called on pages and in metafiles."""

from __future__ import annotations

RECORDED = ("rgb", "depth", "ir")  # those that a camera records
TITLES = {"rgb": "RGB", "depth": "Depth", "ir": "IR", "pseudo_ir": "pseudo-IR"}  # on pages
IN_METAFILES = {name: title[0].upper() + title[1:] for name, title in TITLES.items()}
BY_METAFILE = {title: name for name, title in IN_METAFILES.items()}
