"""What a name stands for that a definition uses and does not bind itself."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

Node = tuple[str, str]  # module and definition; (module, "") for the whole module


@dataclass(frozen=True)
class Global:
    """What a name that is not bound in a definition stands for.

    Attributes:
        label: how it is written in the normal form: a definition by its name, what is imported from a dependency by its
            full dotted name.
        node: the definition in the graph, None for what is not tracked.
        inside: for a module that is tracked, its name: its attributes are looked up one by one.
    """

    label: str
    node: Node | None = None
    inside: str = ""


Lookup = Callable[[str], Global | None]  # of a name in the definition's module
Attribute = Callable[[str, str], Global]  # of an attribute of a module
Imported = Callable[[ast.Import | ast.ImportFrom, ast.alias], Global]  # of an import inside of a function
