"""Code fingerprint: the definitions that a config's classes are made of, found without importing them.

The declared dependencies are left out: their versions are recorded with a run. Everything else counts: the definitions
that a type of the config names, and all that these refer to, in whatever package, each in its normal form
(``normalise``) and wherever it lies (``graph``). A module that does more than define when it is imported counts as a
whole for all that import it. In a package of a user's that does something at import which cannot be read from its
definitions, every module counts. What the plugin patches counts for every config. Of a package in site-packages the
hashes count that its installer noted of its files: it changes when it is installed anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from harness.errors import NEAR
from harness.fingerprint.dependencies import classes_of_dependencies, names_in, names_of_dependencies
from harness.fingerprint.graph import (
    attribute,
    content,
    definitions,
    forget_graph,
    full_hash,
    reachable,
    root_node,
)
from harness.fingerprint.imports import import_closure
from harness.fingerprint.packages import DEPENDENCIES, INSTALLED, PLUGIN, installed_sha, is_installed, top_of
from harness.fingerprint.references import Node
from harness.fingerprint.source import Module, find_package, index_package, indexed_sha
from harness.ledger.record import NOT_TRACKED

ALWAYS = (  # what the plugin changes in MMAction2 and MMEngine when it is registered, whatever a config names
    ("mtcd_plugin._compat", "apply"),
    ("mtcd_plugin.models.weights.init_cfg", "install"),
)


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
    return [m for m in modules if not optional or find_package(top_of(m))]


def code_fingerprint(config: Any, imports: Iterable[str] = ()) -> dict[str, str]:
    """Definition -> its own hash and the full one, for all that the config's classes are made of, see ``graph``.

    A type of which no definition is found is there as ``NOT_TRACKED``.

    Args:
        config: a resolved config.
        imports: modules that ``custom_imports`` names.

    Raises:
        ValueError: one of them is not there.
    """
    types, strings = types_in(config)
    packages, installed, named, dotted = _packages(types, imports)
    modules = frozenset(m for m in named if top_of(m) not in installed)
    places = frozenset(t for t in dotted if top_of(t) not in installed)
    asked = frozenset(t.rpartition(".")[2] for t in types)
    also = frozenset(strings & _registered(packages))
    found = dict(_fingerprint(packages, modules, places, asked, also, not installed))
    return found | {p + INSTALLED: sha for p, sha in installed.items()}


def undefined_types(config: Any, imports: Iterable[str] = ()) -> dict[str, list[str]]:
    """Types of a config that nothing defines which can be read, each with names like it: building them will fail.

    {} where one of the packages of ``imports`` (see ``code_fingerprint``) registers what cannot be read. What does not
    begin with a capital is some network's own word (``consensus=dict(type='avg')``), no class.
    """
    types, _ = types_in(config)
    packages, installed, _, _ = _packages(types, imports)
    if installed or any(m.opaque for p in packages if p != PLUGIN for m in index_package(p).values()):
        return {}
    known = _names(packages) | names_of_dependencies() | names_in("torch", "utils/data")
    unknown = sorted(t for t in types - known if "." not in t and t[:1].isupper())
    if not unknown:
        return {}
    own = {n for n in _names(packages[1:]) if n[:1].isupper()}  # what registers them may do so elsewhere
    classes = _registered(packages) | classes_of_dependencies() | own
    return {t: get_close_matches(t, classes, n=NEAR) for t in unknown}


def _packages(
    types: Iterable[str], imports: Iterable[str]
) -> tuple[tuple[str, ...], dict[str, str], frozenset[str], frozenset[str]]:
    """The packages whose sources count; those installed, with their hashes; the modules of ``imports``, and the types
    that are written with their module, which are neither the plugin's nor a dependency's."""
    named = frozenset(m for m in imports if top_of(m) not in DEPENDENCIES | {PLUGIN})
    dotted = frozenset(t for t in types if top_of(t) not in DEPENDENCIES | {PLUGIN, t} and find_package(top_of(t)))
    tops = sorted({top_of(m) for m in named | dotted})
    installed = {p: sha for p in tops if is_installed(p) and (sha := installed_sha(p)) != NOT_TRACKED}
    return (PLUGIN, *(p for p in tops if p not in installed)), installed, named, dotted


@cache
def _registered(packages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(n for p in packages for m in index_package(p).values() for n in m.registered)


@cache
def _names(packages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(n for p in packages for m in index_package(p).values() for n in m.names) | _registered(packages)


@cache
def _fingerprint(
    packages: tuple[str, ...],
    named: frozenset[str],
    dotted: frozenset[str],
    types: frozenset[str],
    also: frozenset[str],
    clear: bool,
) -> dict[str, str]:
    """Args:
    named: modules of ``custom_imports``. dotted: types with the module that they are in. types: their last parts.
    also: strings that name what is registered. clear: whether every name that is registered can be read.
    """
    starts = {root_node(module, name) for module, name in ALWAYS}
    for package in packages:
        modules = index_package(package)
        for module, source in modules.items():
            names = (source.names & types) | (source.registered & (types | also))
            starts |= {root_node(module, name) for name in names}
        if package != PLUGIN:
            starts |= {root_node(m, name) for m, s in modules.items() if s.forced for name in s.forced & _replaceable()}
            if any(m.opaque for m in modules.values()):
                starts |= {(module, "") for module in modules}
                clear = False
            listed = [_module_of(n, modules) for n in named if top_of(n) == package]
            starts |= {(module, "") for module in listed if not modules[module].lists}
            starts |= {_node_at(n, modules) for n in dotted if top_of(n) == package}
    found = _with_modules(starts, packages, named)
    if len(packages) > 1 and clear:
        found |= dict.fromkeys(sorted(types - _names(packages) - names_of_dependencies()), NOT_TRACKED)
    return dict(sorted(found.items()))


def _with_modules(starts: Iterable[Node], packages: tuple[str, ...], named: frozenset[str]) -> dict[str, str]:
    """The hashes of all definitions that can be reached, and of the modules that these, and those that are named,
    bring along as a whole.
    """
    nodes = set(reachable(starts))
    while True:
        whole, installed = _brought_along(named | {module for module, _ in nodes}, packages)
        more = set(reachable((m, "") for m in whole)) - nodes
        if not more:
            return _entries(nodes) | installed
        nodes |= more


def _brought_along(modules: frozenset[str], packages: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Of all that the modules import: those that count as a whole, since importing them does something."""
    closure, installed = import_closure(modules, packages)
    return [m for m in closure if definitions(m).whole], installed


def _entries(nodes: Iterable[Node]) -> dict[str, str]:
    """Name -> own and full hash. Of several definitions of one name in a package the second is "name (2)"."""
    nodes = set(nodes)
    values: dict[str, list[str]] = {}
    for node in nodes:
        if node[1] and (node[0], "") in nodes:
            continue  # its module counts as a whole
        if own := content(node)[0]:
            values.setdefault(name_of(node), []).append(f"{own[:16]}:{full_hash(node)}")
    return {
        f"{name} ({number})" if number > 1 else name: value
        for name, many in values.items()
        for number, value in enumerate(sorted(many), start=1)
    }


def name_of(node: Node) -> str:
    """How a fingerprint calls a definition: ``package:name``, wherever in the package it lies; a module by its name."""
    module, name = node
    return f"{top_of(module)}:{name}" if name else module


def _node_at(dotted: str, modules: dict[str, Module]) -> Node:
    """What a type stands for that is written with the module in which it is."""
    module = _module_of(dotted, modules)
    found = attribute(module, dotted.removeprefix(f"{module}.")) if module != dotted else None
    return (module, "") if found is None or found.node is None else found.node


def _module_of(dotted: str, modules: dict[str, Module]) -> str:
    """The module that a dotted name is, or is in. Raises ValueError where its package has no such module."""
    parts = dotted.split(".")
    for depth in (len(parts), len(parts) - 1):
        if (name := ".".join(parts[:depth])) in modules:
            return name
    raise ValueError(f"custom_imports: no module '{dotted}' in package '{parts[0]}'")


@cache
def _replaceable() -> frozenset[str]:
    """Names under which the plugin, and what it builds on, register: these may be built without the config's asking."""
    return _registered((PLUGIN,)) | names_of_dependencies()


def changed(code: Mapping[str, str]) -> str:
    """The first name of a fingerprint that stands for something else now than it says, "" where all is as it was."""
    for name, planned in code.items():
        if planned == NOT_TRACKED:
            continue
        if name.endswith(INSTALLED):
            if installed_sha(name.removesuffix(INSTALLED)) != planned:
                return name
            continue
        nodes = [n for n in _nodes_called(name) if _entries([n]).popitem()[1] == planned]
        if not nodes:
            return name
        whole, _ = _brought_along(frozenset({nodes[0][0]}), tuple(sorted({PLUGIN, top_of(nodes[0][0])})))
        if new := [m for m in whole if content((m, ""))[0] and m not in code]:
            return new[0]
    return ""


def sources_of(code: Mapping[str, str]) -> dict[str, str]:
    """sha256 of all source files, as they were indexed, of the packages that a fingerprint's definitions are in."""
    named = {n.partition(":")[0] for n, sha in code.items() if sha != NOT_TRACKED and not n.endswith(INSTALLED)}
    return {package: indexed_sha(package) for package in sorted({PLUGIN, *map(top_of, named)})}


def _nodes_called(name: str) -> list[Node]:
    """The definitions, or the module, that an entry of a fingerprint may stand for."""
    package, is_definition, inner = re.sub(r" \(\d+\)$", "", name).partition(":")
    modules = index_package(top_of(package))
    if not is_definition:
        return [(package, "")] if package in modules else []
    return [(m, inner) for m in modules if not definitions(m).whole and inner in definitions(m).places]


def hash_all(package: str) -> None:
    """Hash every definition of a package now, so that ``changed`` finds it done: also in processes forked later."""
    for module in index_package(package):
        found = definitions(module)
        _entries((module, name) for name in ([""] if found.whole else found.places))


def forget() -> None:
    """Read all sources anew from now on."""
    for cached in (
        find_package,
        index_package,
        indexed_sha,
        _registered,
        _names,
        _fingerprint,
        _replaceable,
        installed_sha,
    ):
        cached.cache_clear()
    forget_graph()
