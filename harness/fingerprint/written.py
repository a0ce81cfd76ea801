"""A syntax tree as text, to be hashed."""

from __future__ import annotations

import ast
from typing import Any


def written(tree: ast.AST) -> str:
    """A syntax tree as text, without places. Other than ``ast.unparse`` it is the same in every version of Python."""
    out: list[str] = []
    _write(tree, out)
    return "".join(out)


def _write(node: Any, out: list[str]) -> None:
    if isinstance(node, ast.AST):
        out.append(f"{type(node).__name__}(")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None or name == "ctx" or (type(value) is list and not value):
                continue
            if type(value) is str:
                out.append(f"{name}={value!r},")
            else:
                out.append(f"{name}=")
                _write(value, out)
        out.append(")")
    elif type(node) is list:
        out.append("[")
        for item in node:
            _write(item, out)
        out.append("]")
    else:
        out.append(f"{node!r},")
