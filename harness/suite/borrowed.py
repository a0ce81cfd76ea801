"""Rows and statements of ``benchmark.yml`` that are those of another data set."""

from __future__ import annotations

from typing import Any

from harness.errors import unknown_name


def borrowed(own: dict[str, Any], what: str, others: list[dict[str, Any]]) -> dict[str, Any]:
    """A table or evidence page whose ``<what>_of`` names another one, with that one's ``what`` for its own data set.

    Raises:
        ValueError: it names none, has some of its own as well, or leaves out what is not there.
    """
    source = own.get(f"{what}_of")
    if not source:
        return own
    known = {o.get("id"): o for o in others if not o.get(f"{what}_of")}
    if source not in known:
        raise ValueError(f"{own.get('id')}.{what}_of: {unknown_name('id', source, known)}")
    if own.get(what):
        raise ValueError(f"{own.get('id')}: give {what} or {what}_of, not both")
    given, left_out = known[source].get(what, []), own.get("leave_out", [])
    if unknown := sorted(set(left_out) - {item.get("id") for item in given}):
        raise ValueError(f"{own.get('id')}.leave_out: {source} has no row '{unknown[0]}'")
    old, new = (str(x.get("dataset", "")).replace("_", "-") for x in (known[source], own))
    kept = [{k: v for k, v in i.items() if k != "claim"} for i in given if i.get("id") not in left_out]
    return {**own, what: _renamed(kept, old, new)}


def _renamed(node: Any, old: str, new: str) -> Any:
    """Every string below a node with ``new`` in the place of ``old``."""
    if isinstance(node, dict):
        return {_renamed(k, old, new): _renamed(v, old, new) for k, v in node.items()}
    if isinstance(node, list):
        return [_renamed(item, old, new) for item in node]
    return node.replace(old, new) if isinstance(node, str) else node
