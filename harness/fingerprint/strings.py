"""Strings that an expression puts together, as patterns: what they may become, some of which may name a class."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

LEAST_LETTERS = 2  # of a pattern: with fewer it would fit names that are none of its own
PLACES = re.compile(r"%[^a-zA-Z%]*[a-zA-Z]|\{[^}]*\}")  # of ``%`` and ``format``


def pattern_of(node: ast.expr) -> str:
    """The regular expression of the strings that an expression makes; "" where it makes none, or any."""
    parts = list(_parts(node))
    if None not in parts or len(re.findall(r"\w", "".join(p for p in parts if p))) < LEAST_LETTERS:
        return ""
    return "".join(".*" if p is None else re.escape(p) for p in parts)


def _parts(node: ast.expr) -> Iterator[str | None]:
    """What a string is put together of: texts, and None for what is known only when it is made."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from _parts(value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _parts(node.left)
        yield from _parts(node.right)
    elif (text := _template(node)) is not None:
        for i, part in enumerate(PLACES.split(text)):
            yield from (None, part) if i else (part,)
    else:
        yield None


def _template(node: ast.expr) -> str | None:
    """The text of ``"..." % x`` and ``"...".format(x)``."""
    made: ast.expr | None = None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        made = node.left
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        made = node.func.value
    return made.value if isinstance(made, ast.Constant) and isinstance(made.value, str) else None
