"""Source files of packages, read without importing them: what each module defines, registers and imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

REGISTERING = {"register_module", "_register_module"}
# What makes a module change others, or be changed, in ways that its definitions do not show.
HIDING = (
    *(b"import_module(", b"__import__(", b"exec(", b"globals()", b"sys.modules"),
    *(b"__init_subclass__", b"__subclasses__"),
)
HARMLESS = {"warnings", "logging", "logger"}  # what a module may call when it is imported without changing another one


@dataclass(frozen=True)
class Import:
    """``from module import name``, or ``import module`` where ``name`` is "", as a module that is known absolutely."""

    module: str
    name: str
    known_as: str


@dataclass(frozen=True)
class Module:
    """One module of a package."""

    names: frozenset[str] = frozenset()  # classes and functions that it defines
    registered: frozenset[str] = frozenset()  # names that it registers
    forced: frozenset[str] = frozenset()  # those of them that take the place of what has the name already
    imports: tuple[Import, ...] = ()
    lists: bool = False  # nothing but imports: what is taken from it comes from elsewhere
    opaque: bool = False  # does something when it is imported that cannot be read from its definitions
    source: bytes = field(default=b"", compare=False, repr=False)
    is_package: bool = False
    compiled: Path | None = None  # where there is no source
    _parsed: list[ast.Module] = field(default_factory=list, compare=False, repr=False)

    @cached_property
    def sha256(self) -> str:
        """Of its source, as it was when the package was indexed, without comments and docstrings."""
        if self.compiled:
            return hashlib.sha256(self.compiled.read_bytes()).hexdigest()
        tree = ast.parse(self.source)
        for statement in _statements(tree):
            _drop_docstring(statement)
        return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()

    def take_tree(self) -> ast.Module:
        """A syntax tree of the source that the caller may change: that of the first reading, a new one after that."""
        return self._parsed.pop() if self._parsed else ast.parse(self.source)


@cache
def find_package(name: str) -> tuple[Path, ...]:
    """The folders of an importable top-level package or its one file; () where there is none, or none with files."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ()
    if spec is None:
        return ()
    if spec.submodule_search_locations:
        return tuple(Path(p) for p in spec.submodule_search_locations)
    return (Path(spec.origin),) if spec.origin and Path(spec.origin).is_file() else ()


@cache
def index_package(package: str) -> dict[str, Module]:
    """All modules of an installed package by name. Raises ValueError where it cannot be found."""
    return {name: _read(name, path, _stamp(path)) for name, path in _files_of(package).items()}


@cache
def indexed_sha(package: str) -> str:
    """sha256 of the names and the bytes of all modules of a package, as they were when it was indexed."""
    return _sha_of(
        (name, m.source if m.compiled is None else m.compiled.read_bytes())
        for name, m in index_package(package).items()
    )


def sha_now(package: str) -> str:
    """``indexed_sha`` of the files that are there now, "" where there are none: nothing is parsed."""
    try:
        return _sha_of((name, path.read_bytes()) for name, path in _files_of(package).items())
    except (ValueError, OSError):
        return ""


def _sha_of(modules: Iterable[tuple[str, bytes]]) -> str:
    whole = hashlib.sha256()
    for name, content in sorted(modules):
        whole.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


def _files_of(package: str) -> dict[str, Path]:
    places = find_package(package)
    if not places:
        raise ValueError(f"custom_imports: package '{package}' is not installed")
    paths: dict[str, Path] = {}
    for root in places:
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            inside = () if root.is_file() else path.relative_to(root).parts
            stem = path.name.split(".")[0]
            if path.suffix == ".py" or path.name.endswith(tuple(EXTENSION_SUFFIXES)):
                parts = [package, *inside[:-1], *([stem] if inside and stem != "__init__" else [])]
                paths.setdefault(".".join(parts), path)
    return paths


def _stamp(path: Path) -> tuple[int, int, int]:
    """Changes when the file does."""
    s = os.stat(path)
    return s.st_mtime_ns, s.st_size, s.st_ino


@cache
def _read(name: str, path: Path, stamp: tuple[int, int, int]) -> Module:  # noqa: ARG001  part of the cache's key
    if path.suffix != ".py":
        return Module(compiled=path)
    content = path.read_bytes()
    try:
        tree = ast.parse(content, filename=str(path))
    except (SyntaxError, ValueError):  # cannot be imported either
        return Module(compiled=path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    imports: list[Import] = []
    names: set[str] = set()
    registered: set[str] = set()
    forced: set[str] = set()
    passed: set[str] = set()  # classes that are registered in a statement of their own
    for statement in _statements(tree):
        imports += imported_by(statement, package)
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(statement.name)
            for decorator in statement.decorator_list:
                own = {statement.name} if registers(decorator) else set()
                own |= literals_of(decorator) if isinstance(decorator, ast.Call) else set()
                registered |= own
                forced |= own if replaces(decorator) else set()
        elif isinstance(statement, ast.Expr) and registers(statement.value):
            registered |= literals_of(statement.value)
            passed |= passed_classes(statement.value)
            forced |= (
                literals_of(statement.value) | passed_classes(statement.value) if replaces(statement.value) else set()
            )
    lists = all(_is_listing(s) for s in tree.body)
    known_as = {i.known_as: i.name for i in imports}
    hidden = any(word in content for word in HIDING)
    opaque = hidden or not passed <= {*names, *known_as} or not all(_is_plain(s) for s in tree.body)
    registered |= {known_as.get(n, n) for n in passed}
    return Module(
        frozenset(names),
        frozenset(registered),
        frozenset(forced & registered),
        tuple(imports),
        lists,
        opaque,
        content,
        package == name,
        None,
        [tree],
    )


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A module and every statement in it, without walking expressions, which hold none."""
    yield node
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, part, ()):
            yield from _statements(child)


def imported_by(node: ast.AST, package: str) -> list[Import]:
    """What a statement imports, in a module of ``package``."""
    if isinstance(node, ast.Import):
        return [Import(a.name, "", a.asname or a.name) for a in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = package.split(".")
            above = above[: len(above) - node.level + 1]
            base = ".".join([*above, base] if base else above)
        return [Import(base, a.name, a.asname or a.name) for a in node.names] if base else []
    return []


def registers(node: ast.AST) -> bool:
    """Whether an expression is a call of a registry's ``register_module``, or a call of what that returned."""
    while isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Attribute) and node.attr in REGISTERING


def replaces(node: ast.expr) -> bool:
    """Whether a registration takes the place of what has its name already (``force``)."""
    while isinstance(node, ast.Call):
        given = [k.value for k in node.keywords if k.arg == "force"] + node.args[1:2]
        if registers(node) and any(not (isinstance(g, ast.Constant) and not g.value) for g in given):
            return True
        node = node.func
    return False


def literals_of(call: ast.expr) -> set[str]:
    """Strings among the arguments of a call, in lists as well: names under which something is registered."""
    found = [x for g in _arguments(call) for x in (g.elts if isinstance(g, (ast.List, ast.Tuple)) else [g])]
    return {x.value for x in found if isinstance(x, ast.Constant) and isinstance(x.value, str)}


def _arguments(call: ast.expr) -> list[ast.expr]:
    """Of a call, and of the call that made what it calls."""
    found: list[ast.expr] = []
    while isinstance(call, ast.Call):
        found += [*call.args, *(k.value for k in call.keywords)]
        call = call.func
    return found


def passed_classes(call: ast.expr) -> set[str]:
    """``C`` of ``register_module(module=C)`` and of ``register_module()(C)``: registered under its own name."""
    return {g.id for g in _arguments(call) if isinstance(g, ast.Name)}


def _is_listing(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass)):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.startswith("__") for t in statement.targets)
    return False


def _is_plain(statement: ast.stmt) -> bool:
    """Whether all that a statement of a module does is in the definitions of that module."""
    if isinstance(statement, (ast.If, ast.Try, ast.With)):
        blocks = [getattr(statement, p, []) for p in ("body", "orelse", "finalbody")]
        blocks += [h.body for h in getattr(statement, "handlers", [])]
        return all(_is_plain(s) for block in blocks for s in block)
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return all(is_readable(d) for d in statement.decorator_list if registers(d))
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [x for t in targets for x in (t.elts if isinstance(t, ast.Tuple) else [t])]
        return all(isinstance(x, ast.Name) for x in names)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return is_readable(statement.value) if registers(statement.value) else called_name(statement.value) in HARMLESS
    return isinstance(
        statement, (ast.Import, ast.ImportFrom, ast.Pass, ast.Expr, ast.Assert, ast.Raise, ast.Return, ast.Delete)
    )


def is_readable(decorator: ast.expr) -> bool:
    """Whether the name under which a class is registered is written out, or is the class's own."""
    if not isinstance(decorator, ast.Call):
        return True
    while isinstance(decorator.func, ast.Call):
        decorator = decorator.func
    given = [k.value for k in decorator.keywords if k.arg == "name"] + decorator.args[:1]
    parts = [x for g in given for x in (g.elts if isinstance(g, (ast.List, ast.Tuple)) else [g])]
    return all(isinstance(x, ast.Constant) for x in parts)


def called_name(node: ast.expr) -> str:
    """The first name of what is called, or of an expression that calls nothing."""
    if isinstance(node, ast.Call):
        node = node.func
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _drop_docstring(node: ast.AST) -> None:
    if (
        isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and ast.get_docstring(node, clean=False) is not None
    ):
        node.body = node.body[1:] or [ast.Pass()]
