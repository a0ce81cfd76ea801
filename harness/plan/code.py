"""Code fingerprint: the source of the plugin modules that a config uses, found without importing them."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Module:
    """One module of a plugin package."""

    names: frozenset[str]  # classes and functions defined at top level
    imports: frozenset[str]  # modules of the same package that it imports
    tree: ast.Module | None = field(compare=False, repr=False)  # without docstrings; None for what only lists its modules

    @cached_property
    def sha256(self) -> str:
        """Of its source, as it was when the package was indexed, without comments and docstrings."""
        return "" if self.tree is None else hashlib.sha256(ast.unparse(self.tree).encode()).hexdigest()


def types_in(config: Any) -> set[str]:
    """Every ``type`` named in a config, without its registry scope."""
    found: set[str] = set()
    if isinstance(config, Mapping):
        kind = config.get("type")
        if isinstance(kind, str):
            found.add(kind.rsplit(".", 1)[-1])
        for v in config.values():
            found |= types_in(v)
    elif isinstance(config, (list, tuple)):
        for v in config:
            found |= types_in(v)
    return found


def imported_modules(config: Mapping[str, Any]) -> list[str]:
    """The modules that ``custom_imports`` names, one as a string or several. Raises ValueError for another form."""
    declared = config.get("custom_imports") or {}
    modules = declared.get("imports") or [] if isinstance(declared, Mapping) else None
    modules = [modules] if isinstance(modules, str) else modules
    if not isinstance(modules, (list, tuple)) or not all(isinstance(m, str) for m in modules):
        raise ValueError(
            f"custom_imports = {declared!r}; write custom_imports = dict(imports=['mtcd_plugin.register', 'your_package'])"
        )
    return list(modules)


def code_fingerprint(config: Any, packages: Iterable[str]) -> dict[str, str]:
    """Module name -> sha256 for the modules that define the config's types, and all they import in their package.

    Args:
        config: a resolved config.
        packages: top-level packages that register types (from ``custom_imports``).
    """
    types = frozenset(types_in(config))
    found: dict[str, str] = {}
    for package in sorted(set(packages)):
        found.update(_closure(package, types))
    return found


@cache
def _closure(package: str, types: frozenset[str]) -> dict[str, str]:
    modules = index_package(package)
    todo = [name for name, m in modules.items() if m.names & types]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        todo += modules[name].imports
    return {name: modules[name].sha256 for name in sorted(seen)}


@cache
def index_package(package: str) -> dict[str, Module]:
    """All modules of an installed package. Raises ValueError where it cannot be found."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ValueError(f"custom_imports: package '{package}' is not installed")
    if not spec.submodule_search_locations:
        return {package: _read(package, Path(spec.origin), {package})} if spec.origin else {}
    root = Path(next(iter(spec.submodule_search_locations)))
    paths: dict[str, Path] = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join([package, *parts])
        paths[name.removesuffix(".__init__")] = path
    return {name: _read(name, path, paths.keys()) for name, path in paths.items()}


def _read(name: str, path: Path, known: Iterable[str]) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    names = {n.name for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
    if path.name == "__init__.py" and not names:
        return Module(frozenset(), frozenset(), None)
    imports = set()
    for statement in _statements(tree):
        imports.update(m for m in _imported(statement, name) if m in known)
        _drop_docstring(statement)
    return Module(frozenset(names), frozenset(imports - {name}), tree)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A module and every statement in it, without walking expressions, which hold none."""
    yield node
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, part, ()):
            yield from _statements(child)


def _imported(node: ast.AST, module: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [a.name for a in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            base = ".".join(module.split(".")[: -node.level] + ([base] if base else []))
        return [base, *(f"{base}.{a.name}" for a in node.names)]
    return []


def _drop_docstring(node: ast.AST) -> None:
    if (
        isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and ast.get_docstring(node, clean=False) is not None
    ):
        node.body = node.body[1:] or [ast.Pass()]
