"""Code fingerprint: the source of all modules that a config's classes come from, found without importing them.

The declared dependencies are left out: their versions are recorded with a run. Everything else counts: the modules that
define or register a type of the config, and all that these import, in whatever package. In a package of a user's that
does something at import which cannot be read from its definitions, every module counts. Of a package in site-packages
the hashes count that its installer noted of its files: it changes when it is installed anew.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.fingerprint.source import Import, Module, find_package, index_package
from harness.ledger.record import NOT_TRACKED

PLUGIN = "mtcd_plugin"
# Import names of what pyproject.toml declares, and of what that brings along and a config may name.
DEPENDENCIES = frozenset(
    ("torch", "torchvision", "mmengine", "mmcv", "mmaction", "importlib_metadata", "setuptools", "pkg_resources")
    + ("numpy", "pandas", "pyarrow", "scipy", "statsmodels", "matplotlib", "jinja2", "pydantic", "yaml", "click")
    + ("rich", "av", "PIL", "psutil", "cv2", "einops", "decord", "blake3")
)
INSTALLED = " (installed)"  # after the name of a package of which the installer's list of files is hashed


def types_in(config: Any) -> tuple[set[str], set[str]]:
    """Every ``type`` named in a config, and every other string: some of them name classes too (``constructor``)."""
    types: set[str] = set()
    strings: set[str] = set()
    todo = [config]
    while todo:
        node = todo.pop()
        if isinstance(node, Mapping):
            for key, value in node.items():
                if isinstance(value, str):
                    (types if key == "type" else strings).add(value)
                else:
                    todo.append(value)
        elif isinstance(node, (list, tuple)):
            todo += node
        elif isinstance(node, str):
            strings.add(node)
    return types, strings


def imported_modules(config: Mapping[str, Any]) -> list[str]:
    """The modules that ``custom_imports`` names, one as a string or several, without those that it allows to be absent.

    Raises:
        ValueError: it has another form.
    """
    declared = config.get("custom_imports") or {}
    modules = declared.get("imports") or [] if isinstance(declared, Mapping) else None
    modules = [modules] if isinstance(modules, str) else modules
    if not isinstance(modules, (list, tuple)) or not all(isinstance(m, str) for m in modules):
        raise ValueError(
            f"custom_imports = {declared!r}; write custom_imports = "
            "dict(imports=['mtcd_plugin.register', 'your_package'])"
        )
    optional = declared.get("allow_failed_imports", False)
    return [m for m in modules if not optional or find_package(_top(m))]


def code_fingerprint(config: Any, imports: Iterable[str] = ()) -> dict[str, str]:
    """Module -> sha256 of its source, for all modules that the config's classes come from.

    A type of which no definition is found is there as ``NOT_TRACKED``.

    Args:
        config: a resolved config.
        imports: modules that ``custom_imports`` names.

    Raises:
        ValueError: one of them is not there.
    """
    types, strings = types_in(config)
    named = frozenset(m for m in imports if _top(m) not in DEPENDENCIES | {PLUGIN})
    dotted = frozenset(t for t in types if _top(t) not in DEPENDENCIES | {PLUGIN, t} and find_package(_top(t)))
    tops = sorted({_top(m) for m in named | dotted})
    installed = {p: sha for p in tops if _is_installed(p) and (sha := _installed_sha(p)) != NOT_TRACKED}
    packages = (PLUGIN, *(p for p in tops if p not in installed))
    sources = frozenset(m for m in named | dotted if _top(m) not in installed)
    asked = frozenset(t.rpartition(".")[2] for t in types)
    also = frozenset(strings & _registered(packages))
    found = dict(_fingerprint(packages, sources, asked, also, not installed))
    return found | {p + INSTALLED: sha for p, sha in installed.items()}


@cache
def _registered(packages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(n for p in packages for m in index_package(p).values() for n in m.registered)


@cache
def _names(packages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(n for p in packages for m in index_package(p).values() for n in m.names) | _registered(packages)


@cache
def _fingerprint(
    packages: tuple[str, ...], named: frozenset[str], types: frozenset[str], also: frozenset[str], clear: bool
) -> dict[str, str]:
    """Args: clear: whether every name that is registered can be read."""
    starts: set[str] = set()
    for package in packages:
        modules = index_package(package)
        starts |= {name for name, m in modules.items() if m.names & types or m.registered & (types | also)}
        if package != PLUGIN:
            if any(m.opaque for m in modules.values()):
                starts |= set(modules)
                clear = False
            starts |= {_module_of(n, modules) for n in named if _top(n) == package}
    found = _closure(starts, packages)
    if len(packages) > 1 and clear:
        found |= dict.fromkeys(sorted(types - _names(packages) - _names_of_dependencies()), NOT_TRACKED)
    return dict(sorted(found.items()))


def _module_of(dotted: str, modules: dict[str, Module]) -> str:
    """The module that a dotted name is, or is in. Raises ValueError where its package has no such module."""
    parts = dotted.split(".")
    for depth in (len(parts), len(parts) - 1):
        if (name := ".".join(parts[:depth])) in modules:
            return name
    raise ValueError(f"custom_imports: no module '{dotted}' in package '{parts[0]}'")


def _closure(starts: Iterable[str], packages: tuple[str, ...]) -> dict[str, str]:
    """The modules and all that they import, with their hashes; those that only list others have none of their own."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        package = _top(name)
        module = index_package(package)[name]
        if package != PLUGIN or not module.lists:
            todo += _above(name)
        if module.lists:
            continue
        found[name] = module.sha256
        for what in module.imports:
            top = _top(what.module)
            if top == package or (package != PLUGIN and top not in DEPENDENCIES | sys.stdlib_module_names):
                if top in packages or not _is_installed(top):
                    todo += _targets(what)
                else:
                    found[top + INSTALLED] = _installed_sha(top)
    return found


def _above(name: str) -> list[str]:
    """Packages that a module is in: their code runs before its own."""
    parts = name.split(".")[:-1]
    modules = index_package(_top(name))
    return [p for i in range(1, len(parts) + 1) if (p := ".".join(parts[:i])) in modules]


def _targets(what: Import, depth: int = 0) -> list[str]:
    """The modules that an import makes another one depend on; through a module that only lists, those it lists."""
    modules = index_package(_top(what.module)) if find_package(_top(what.module)) else {}
    if (name := f"{what.module}.{what.name}") in modules:
        return [name]
    module = modules.get(what.module)
    if module is None:
        return []
    if not module.lists or depth > 20:
        return [what.module]
    passed_on = [i for i in module.imports if what.name in ("", "*", i.known_as) or i.name == "*"]
    named = [i for i in passed_on if i.known_as == what.name]
    return [t for i in named or passed_on for t in _targets(i, depth + 1)]


def _is_installed(package: str) -> bool:
    """Whether an installer put a package there: its files change with its release alone."""
    return any({"site-packages", "dist-packages"} & set(p.parts) for p in find_package(package))


@cache
def _installed_sha(package: str) -> str:
    """sha256 of what the installer noted of a package's source files, names and hashes."""
    noted = []
    for distribution in metadata.packages_distributions().get(package, []):
        files = metadata.files(distribution) or []
        noted += sorted(f"{f} {f.hash.value}" for f in files if f.suffix == ".py" and f.hash is not None)
    return hashlib.sha256("\n".join(noted).encode()).hexdigest() if noted else NOT_TRACKED


@cache
def _names_of_dependencies() -> frozenset[str]:
    """Classes and functions that MMAction2 and what it builds on define or register, read as text."""
    pattern = re.compile(rb"^\s*(?:class|def) (\w+)|register_module\(\s*(?:name=)?\[?\s*['\"](\w+)", re.MULTILINE)
    found: set[str] = set()
    for package, inside in (
        ("mmengine", ""),
        ("mmcv", ""),
        ("mmaction", ""),
        ("torch", "optim"),
        ("torch", "nn/modules"),
    ):
        for root in find_package(package):
            for path in (Path(root) / inside).rglob("*.py"):
                found |= {(a or b).decode() for a, b in pattern.findall(path.read_bytes())}
    return frozenset(found)


def sha_of(module: str) -> str | None:
    """What a module's entry in a fingerprint would be now, None where it is gone."""
    if module.endswith(INSTALLED):
        return _installed_sha(module.removesuffix(INSTALLED))
    found = index_package(_top(module)).get(module)
    return None if found is None else found.sha256


def forget() -> None:
    """Read all sources anew from now on."""
    for cached in (find_package, index_package, _registered, _names, _fingerprint, _installed_sha):
        cached.cache_clear()


def _top(name: str) -> str:
    return name.partition(".")[0]
