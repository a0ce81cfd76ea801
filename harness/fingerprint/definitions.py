"""What a module defines, one entry a name, where all that it does when it is imported is to define.

A module that does more, or of which that cannot be told, counts as a whole: one that runs a loop or sets an attribute
of something else, that imports everything of another one, that calls functions of its own package, or something for
nothing but its effect (``_ = torch.manual_seed(0)``).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness.fingerprint.source import (
    HARMLESS,
    Import,
    called_name,
    imported_by,
    is_readable,
    literals_of,
    passed_classes,
    registers,
)

PURE_BUILTINS = frozenset(
    ("abs", "all", "any", "bool", "bytes", "bytearray", "complex", "dict", "divmod", "enumerate", "float", "format")
    + ("frozenset", "int", "isinstance", "issubclass", "len", "list", "max", "min", "object", "ord", "chr", "pow")
    + ("property", "range", "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum", "super", "tuple")
    + ("type", "zip", "staticmethod", "classmethod")
)
# Methods that change nothing but what they return.
PURE_METHODS = frozenset(
    ("get", "items", "keys", "values", "split", "rsplit", "splitlines", "join", "format", "strip", "lstrip", "rstrip")
    + ("index", "count", "copy", "union", "difference", "intersection", "lower", "upper", "title", "replace")
    + ("encode", "decode", "startswith", "endswith", "partition", "rpartition", "bit_length")
)
# Modules of Python that are there to change something.
ACTING = frozenset(("atexit", "builtins", "gc", "importlib", "multiprocessing", "os", "signal", "site", "sys"))
ACTING |= {"threading", "subprocess"}


@dataclass(frozen=True)
class Definitions:
    """A module by its definitions.

    Attributes:
        places: name -> position in the module's body; several names of one assignment have one.
        whole: why the module counts as a whole, "" where each definition counts for itself.
    """

    places: dict[str, int] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    registered: dict[str, str] = field(default_factory=dict)  # name in a registry -> the definition
    whole: str = ""


def definitions_of(tree: ast.Module, package: str, is_own: Callable[[str], bool]) -> Definitions:
    """Args: package: in which the module's relative imports start. is_own: whether a top-level package is tracked."""
    reader = _Reader(tree, package, is_own)
    return Definitions(reader.places, reader.imports, reader.registered, reader.whole)


class _Reader:
    """Reads the statements of one module in their order."""

    def __init__(self, tree: ast.Module, package: str, is_own: Callable[[str], bool]) -> None:
        self.package, self.is_own = package, is_own
        self.places: dict[str, int] = {}
        self.imports: dict[str, Import] = {}
        self.registered: dict[str, str] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.whole = ""
        for place, statement in enumerate(tree.body):
            if not self._read(place, statement):
                self.whole = f"line {statement.lineno}"
                break

    def _read(self, place: int, s: ast.stmt) -> bool:
        """Whether a statement does nothing but define; notes what."""
        if isinstance(s, (ast.Import, ast.ImportFrom)):
            return self._read_import(s)
        if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return self._read_definition(place, s)
        if isinstance(s, (ast.Assign, ast.AnnAssign)):
            names = list(_targets(s))
            if None in names or "_" in names or (s.value is not None and not self._is_pure(s.value)):
                return False
            return s.value is None or all(self._define(str(n), place) for n in names)
        if isinstance(s, ast.Expr):
            return isinstance(s.value, ast.Constant) or self._read_call(place, s.value)
        if isinstance(s, ast.If):
            return _never_runs(s.test) and not s.orelse
        return isinstance(s, ast.Pass)

    def _read_import(self, s: ast.Import | ast.ImportFrom) -> bool:
        for found in imported_by(s, self.package):
            if found.name == "*":
                return False
            name = found.known_as
            if not found.name and "." in name:  # ``import a.b`` binds a
                name = name.partition(".")[0]
                found = Import(name, "", name)
            if name in self.places or self.imports.get(name, found) != found:
                return False
            self.imports[name] = found
        return True

    def _read_definition(self, place: int, s: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
        if not self._defines(s) or not self._define(s.name, place):
            return False
        if isinstance(s, ast.ClassDef):
            self.classes[s.name] = s
        for decorator in s.decorator_list:
            names = literals_of(decorator) if isinstance(decorator, ast.Call) else set()
            names |= {s.name} if registers(decorator) else set()
            if any(self.registered.setdefault(n, s.name) != s.name for n in names):
                return False
        return True

    def _read_call(self, place: int, call: ast.expr) -> bool:
        if not isinstance(call, ast.Call):
            return False
        if not registers(call):
            return called_name(call) in HARMLESS
        classes = passed_classes(call)
        if not is_readable(call) or not all(self._is_pure(a) for a in (*call.args, *(k.value for k in call.keywords))):
            return False
        names = literals_of(call) | {self.imports[c].name if c in self.imports else c for c in classes}
        unit = f"{' '.join(sorted(names))} (registered)"
        return self._define(unit, place) and all(self.registered.setdefault(n, unit) == unit for n in names)

    def _define(self, name: str, place: int) -> bool:
        """Note a name; False where it is defined twice."""
        return name not in self.imports and self.places.setdefault(name, place) == place

    def _defines(self, s: ast.stmt) -> bool:
        """Whether a function or class, when it is defined, changes nothing."""
        if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = [*s.args.defaults, *(d for d in s.args.kw_defaults if d is not None)]
            return all(map(self._is_plain_decorator, s.decorator_list)) and all(map(self._is_pure, given))
        if not isinstance(s, ast.ClassDef):
            return False
        bases = [*s.bases, *(k.value for k in s.keywords)]
        if not all(map(self._is_plain_decorator, s.decorator_list)) or not all(map(self._is_pure, bases)):
            return False
        if any(k.arg == "metaclass" and called_name(k.value) not in ("ABCMeta", "abc") for k in s.keywords):
            return False
        return all(self._is_plain_member(m) for m in s.body)

    def _is_plain_member(self, s: ast.stmt) -> bool:
        if isinstance(s, (ast.Assign, ast.AnnAssign)):
            return None not in _targets(s) and (s.value is None or self._is_pure(s.value))
        if isinstance(s, (ast.Import, ast.ImportFrom)):
            return False
        plain = isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        return plain or self._defines(s)

    def _is_plain_decorator(self, decorator: ast.expr) -> bool:
        call = decorator if isinstance(decorator, ast.Call) else None
        if call is not None and not self._is_pure(ast.Tuple([*call.args, *(k.value for k in call.keywords)])):
            return False
        if registers(decorator):
            return is_readable(decorator)
        if isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "getter", "deleter"):
            return True
        return self._is_pure_function(call.func if call is not None else decorator)

    def _is_pure(self, value: ast.expr) -> bool:
        """Whether evaluating an expression changes nothing, as far as can be told from the names that it calls."""
        for node in _evaluated(value):
            if isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
                return False
            if isinstance(node, ast.Call) and not self._is_pure_function(node.func):
                return False
        return True

    def _is_pure_function(self, function: ast.expr) -> bool:
        root = function
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):  # a method of a value: that one is looked at by itself
            return isinstance(function, ast.Attribute)
        if (found := self.imports.get(root.id)) is not None:
            top = found.module.partition(".")[0]
            return not self.is_own(top) and top not in ACTING
        if isinstance(function, ast.Attribute):
            return function.attr in PURE_METHODS
        if root.id in self.classes:
            return _only_holds(self.classes[root.id])
        return root.id not in self.places and root.id in PURE_BUILTINS and hasattr(builtins, root.id)


def _targets(s: ast.Assign | ast.AnnAssign) -> Iterator[str | None]:
    """Names that an assignment sets, None for anything else that it sets."""
    targets = s.targets if isinstance(s, ast.Assign) else [s.target]
    for target in targets:
        for t in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            yield t.id if isinstance(t, ast.Name) else None


def _evaluated(value: ast.AST) -> Iterator[ast.AST]:
    """An expression and all below it, without the bodies of lambdas, which run later."""
    yield value
    for child in ast.iter_child_nodes(value):
        if isinstance(value, ast.Lambda) and child is value.body:
            continue
        yield from _evaluated(child)


def _only_holds(definition: ast.ClassDef) -> bool:
    """Whether making an object of a class runs no code of its own: a dataclass without bases."""
    own = {m.name for m in definition.body if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return not definition.bases and not definition.keywords and not own & {"__init__", "__new__", "__post_init__"}


def _never_runs(test: ast.expr) -> bool:
    """``if TYPE_CHECKING`` and ``if __name__ == "__main__"``."""
    last = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    left = test.left if isinstance(test, ast.Compare) else None
    return last == "TYPE_CHECKING" or (isinstance(left, ast.Name) and left.id == "__name__")
