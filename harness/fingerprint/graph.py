"""Definitions and what they refer to, across modules, with a hash of each that covers all that it depends on.

A node is ``(module, name)``, or ``(module, "")`` for a module that counts as a whole. Its own hash is that of its
normal form, in which other definitions stand by their bare names; its full hash is that and the full hashes of what it
refers to. So a definition that is moved to another module keeps both, and one that refers to another definition of the
same name does not.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache

from harness.fingerprint.definitions import Definitions, definitions_of
from harness.fingerprint.normalise import normalise
from harness.fingerprint.packages import DEPENDENCIES, PLUGIN, is_installed, top_of
from harness.fingerprint.references import Global, Node
from harness.fingerprint.scopes import READ_NAMES, reads_names
from harness.fingerprint.source import Import, Module, find_package, imported_by, index_package
from harness.fingerprint.written import written

MOST_DETOURS = 20  # an import that passes through more modules is not followed: it goes round in circles

DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
NAME_READERS = tuple(name.encode() for name in (*sorted(READ_NAMES), "vars()", "dir()"))


def is_tracked(top: str, package: str) -> bool:
    """Whether the source of a top-level package counts for what lies in ``package``."""
    if top == package or package == PLUGIN:
        return top == package
    return top not in DEPENDENCIES | sys.stdlib_module_names and bool(find_package(top)) and not is_installed(top)


def module_at(name: str) -> Module | None:
    """A module by its full name, None where there is none (a folder without ``__init__.py``, for example)."""
    top = top_of(name)
    return index_package(top).get(name) if find_package(top) else None


@cache
def definitions(module: str) -> Definitions:
    """What a module defines, see ``Definitions``."""
    found = module_at(module)
    if found is None:
        return Definitions(whole="it has no source")
    if found.compiled is not None or found.opaque:
        return Definitions(whole="what it does is not written out")
    return definitions_of(_tree(module), _package_of(module), lambda top: is_tracked(top, top_of(module)))


@cache
def _tree(module: str) -> ast.Module:
    """The syntax tree whose statements ``content`` brings into their normal form, each once."""
    found = module_at(module)
    return found.take_tree() if found is not None else ast.parse("")


def _package_of(module: str) -> str:
    """Where a module's relative imports start."""
    found = module_at(module)
    return module if found is not None and found.is_package else module.rpartition(".")[0]


def root_node(module: str, name: str) -> Node:
    """The node of a name that a module defines or registers; the whole module where it has none of its own."""
    found = definitions(module)
    name = found.registered.get(name, name)
    return (module, _canonical(module, name)) if not found.whole and name in found.places else (module, "")


@cache
def _names_at(module: str) -> dict[int, str]:
    """The name by which each statement of a module is known: its first."""
    return {place: name for name, place in reversed(list(definitions(module).places.items()))}


def _canonical(module: str, name: str) -> str:
    return _names_at(module)[definitions(module).places[name]]


def look_up(module: str, name: str, detours: int = 0) -> Global | None:
    """What a name means in a module, None for one that it does not bind: a builtin, for example."""
    found = definitions(module)
    source = module_at(module)
    if found.whole:
        if source is not None and source.lists:
            return _through_list(source, name, top_of(module), detours)
        return Global(name, (module, ""))
    if name in found.places:
        return Global(name, (module, _canonical(module, name)))
    if (imported := found.imports.get(name)) is not None:
        return resolve(imported, top_of(module), detours + 1)
    return None


def _through_list(source: Module, name: str, package: str, detours: int) -> Global | None:
    """What a name means in a module of imports alone, some of them ``*``."""
    for i in source.imports:
        if i.known_as == name and i.name != "*":
            return resolve(i, package, detours + 1)
    for i in source.imports:
        if i.name == "*" and is_tracked(top_of(i.module), package) and detours < MOST_DETOURS:
            inner = module_at(i.module)
            if inner is not None and (name in inner.names or inner.lists):
                return look_up(i.module, name, detours + 1)
    return None


def resolve(imported: Import, package: str, detours: int = 0) -> Global:
    """What an import brings to a module of ``package``."""
    if not is_tracked(top_of(imported.module), package):
        return Global(f"{imported.module}.{imported.name}" if imported.name else imported.module)
    if not imported.name:
        return _whole(imported.module)
    return attribute(imported.module, imported.name, detours)


def attribute(module: str, name: str, detours: int = 0) -> Global:
    """What an attribute of a tracked module is: a definition, a submodule, or whatever the module makes of it."""
    inner = f"{module}.{name}"
    is_module = any(m == inner or m.startswith(inner + ".") for m in index_package(top_of(module)))
    found = look_up(module, name, detours) if module_at(module) is not None and detours < MOST_DETOURS else None
    if found is not None and not (is_module and found.node == (module, "")):
        return found
    return _whole(inner) if is_module else Global(name, (module, ""))


def _whole(module: str) -> Global:
    return Global(module.rpartition(".")[2], (module, ""), inside=module)


@cache
def content(node: Node) -> tuple[str, tuple[tuple[str, Node], ...]]:
    """The own hash of a node, and what it refers to: how it calls it, and the node."""
    module, name = node
    source = module_at(module)
    if source is None:
        return "", ()
    if not name:
        found = [resolve(i, top_of(module)) for i in source.imports if i.name != "*"]
        stars = [Import(i.module, "", i.module) for i in source.imports if i.name == "*"]
        found += [resolve(i, top_of(module)) for i in stars]
        labels = {f.node: f.label for f in found if f.node is not None and f.node != node}
        return ("" if source.lists else source.sha256), tuple((label, n) for n, label in labels.items())
    statement = _tree(module).body[definitions(module).places[name]]

    def here(called: str) -> Global | None:
        found = look_up(module, called)
        return Global(called) if found is not None and found.node == node else found  # it refers to itself

    def imported(s: ast.Import | ast.ImportFrom, alias: ast.alias) -> Global:
        one = type(s)(**{**{f: getattr(s, f) for f in s._fields}, "names": [alias]})
        brought = imported_by(one, _package_of(module))
        return resolve(brought[0], top_of(module)) if brought else Global(alias.name)

    pinned = any(word in source.source for word in NAME_READERS) and reads_names(statement)
    normal = normalise(statement, here, attribute, imported, pinned)
    refers = dict(normal.refers)
    for text in normal.strings:  # built by its name: ``MODELS.build(dict(type='ProjectedHead'))``
        for n in _called(text, top_of(module)):
            if n != node:
                refers[f"'{text}' in {len(refers)}"] = n
    for pattern in normal.patterns:  # by a name that is put together: ``MODELS.get(f'{kind}Head')``
        for text in filter(re.compile(pattern).fullmatch, _registered(top_of(module))):
            for n in _registered(top_of(module))[text]:
                if n != node and n not in refers.values():
                    refers[f"'{text}' in {len(refers)}"] = n
    return _sha(written(normal.tree)), tuple(refers.items())


def _called(text: str, package: str) -> tuple[Node, ...]:
    """The definitions that a string may name: as a registry has them, in a scope of it, or with their module."""
    module, _, name = text.rpartition(".")
    found = _registered(package).get(text, ())
    if not module or not name.isidentifier():
        return found
    found += _registered(package).get(name, ())
    source = module_at(module) if DOTTED.fullmatch(module) and is_tracked(top_of(module), package) else None
    if source is not None and name in source.names and root_node(module, name) not in found:
        found += (root_node(module, name),)
    return found


@cache
def _registered(package: str) -> Mapping[str, tuple[Node, ...]]:
    """Names in registries, and the definitions that a package and the plugin have for them."""
    found: dict[str, tuple[Node, ...]] = {}
    for p in dict.fromkeys((package, PLUGIN)):
        for module, source in index_package(p).items():
            for name in sorted(source.registered):
                found[name] = (*found.get(name, ()), root_node(module, name))
    return found


def reachable(starts: Iterable[Node]) -> list[Node]:
    """The nodes and all that they refer to, each once."""
    found: dict[Node, None] = {}
    todo = list(starts)
    while todo:
        node = todo.pop()
        if node not in found:
            found[node] = None
            todo += [n for _, n in content(node)[1]]
    return list(found)


_full: dict[Node, str] = {}


def full_hash(node: Node) -> str:
    """sha256 of a node with all that it refers to; nodes that refer to each other are hashed together."""
    if node not in _full:
        for group in _groups(node):
            _hash_group(group)
    return _full[node]


def _hash_group(group: list[Node]) -> None:
    """Hash nodes that refer to each other: by rounds, in each of which a hash takes in those of its neighbours.

    After as many rounds as there are nodes two of them have the same hash only where all that can be reached from them
    is the same.
    """
    inside = set(group)
    hashes = {n: content(n)[0] for n in group}
    in_a_circle = len(group) > 1 or any(m in inside for _, m in content(group[0])[1])
    for _ in range(len(group) + 1 if in_a_circle else 1):
        hashes = {n: _sha("\n".join([hashes[n], *_links(n, hashes)])) for n in group}
    _full.update(hashes)


def _links(node: Node, inside: Mapping[Node, str]) -> list[str]:
    """What a node refers to: how it calls it, and its hash."""
    return [f"{called} {inside[n] if n in inside else _full[n]}" for called, n in content(node)[1]]


def _groups(start: Node) -> list[list[Node]]:
    """Strongly connected groups of what can be reached and has no hash yet, each after those it refers to (Tarjan)."""
    order: dict[Node, int] = {}
    low: dict[Node, int] = {}
    open_: list[Node] = []
    groups: list[list[Node]] = []
    walk: list[tuple[Node, list[Node]]] = []

    def enter(node: Node) -> None:
        order[node] = low[node] = len(order)
        open_.append(node)
        walk.append((node, [n for _, n in content(node)[1]]))

    enter(start)
    while walk:
        node, left = walk[-1]
        if left:
            nearest = left.pop()
            if nearest in _full:
                continue
            if nearest not in order:
                enter(nearest)
            elif nearest in open_:
                low[node] = min(low[node], order[nearest])
            continue
        walk.pop()
        if walk:
            low[walk[-1][0]] = min(low[walk[-1][0]], low[node])
        if low[node] == order[node]:
            at = open_.index(node)
            groups.append(open_[at:])
            del open_[at:]
    return groups


def forget_graph() -> None:
    """Read all definitions anew from now on."""
    for cached in (definitions, _tree, _names_at, content, _registered):
        cached.cache_clear()
    _full.clear()


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
