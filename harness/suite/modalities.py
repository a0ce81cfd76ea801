"""Modalities and sets of them: their ids, and what they are called on pages and in metafiles.

A set is written as its members with ``+`` between, in the order of ``TITLES``: ``rgb+depth``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.errors import unknown_name

RECORDED = ("rgb", "depth", "ir")  # those that a camera records
DERIVED_FROM = {"pseudo_ir": "rgb", "flow": "rgb"}  # computed from what a camera records, and read from a store
TITLES = {"rgb": "RGB", "depth": "Depth", "ir": "IR", "pseudo_ir": "pseudo-IR", "flow": "Flow"}  # on pages
IN_METAFILES = {name: title[0].upper() + title[1:] for name, title in TITLES.items()}
BY_METAFILE = {title: name for name, title in IN_METAFILES.items()}
BY_ID = {name: name for name in TITLES}


def members(text: str, names: Mapping[str, str] = BY_ID) -> tuple[str, ...]:
    """The ids of a set's members, in their fixed order.

    Args:
        text: ``rgb+depth``; the order does not count.
        names: what a member may be called -> its id; ``BY_METAFILE`` for ``RGB+Depth``.

    Raises:
        ValueError: an unknown member, or one that is named twice.
    """
    found = []
    for name in (part.strip() for part in text.split("+")):
        if name not in names:
            raise ValueError(f"{unknown_name('modality', name, names)}; a set of them is written with + between")
        found.append(names[name])
    return ordered(found)


def ordered(ids: Iterable[str]) -> tuple[str, ...]:
    """Ids in their fixed order. Raises ValueError where one stands there twice."""
    ids = list(ids)
    if twice := [name for name in TITLES if ids.count(name) > 1]:
        raise ValueError(f"modality {IN_METAFILES[twice[0]]} is named twice; name it once")
    return tuple(sorted(ids, key=list(TITLES).index))


def joined(ids: Iterable[str]) -> str:
    """The id of a set: ``rgb+depth``."""
    return "+".join(ordered(ids))


def title(ids: Iterable[str] | str) -> str:
    """Modalities as pages write them, in the order given: ``RGB + Depth``; "" for none."""
    parts = ids.split("+") if isinstance(ids, str) else ids
    return " + ".join(TITLES.get(m, m) for m in parts)


def in_metafile(text: str) -> str:
    """A set as metafiles write it: ``RGB+Depth``."""
    return "+".join(IN_METAFILES[m] for m in members(text))
