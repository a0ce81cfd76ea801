"""The modules that run because a module is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from harness.fingerprint.graph import module_at
from harness.fingerprint.packages import DEPENDENCIES, INSTALLED, PLUGIN, installed_sha, is_installed, top_of
from harness.fingerprint.source import Import, find_package, index_package


def import_closure(starts: Iterable[str], packages: tuple[str, ...]) -> tuple[set[str], dict[str, str]]:
    """The modules and all that importing them imports, without those that only list others; packages that are
    installed.
    """
    found: set[str] = set()
    installed: dict[str, str] = {}
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        name = todo.pop()
        module = module_at(name)
        if name in seen or module is None:
            continue
        seen.add(name)
        package = top_of(name)
        if package != PLUGIN or not module.lists:
            todo += _above(name)
        if module.lists and package == PLUGIN:
            continue  # what it lists is the plugin's own and only defines, as a test holds
        if not module.lists:
            found.add(name)
        for what in module.imports:
            top = top_of(what.module)
            if module.lists and top == PLUGIN:
                continue
            if top == package or (package != PLUGIN and top not in DEPENDENCIES | sys.stdlib_module_names):
                if top in packages or not is_installed(top):
                    todo += _targets(what)
                else:
                    installed[top + INSTALLED] = installed_sha(top)
    return found, installed


def _above(name: str) -> list[str]:
    """Packages that a module is in: their code runs before its own."""
    parts = name.split(".")[:-1]
    modules = index_package(top_of(name))
    return [p for i in range(1, len(parts) + 1) if (p := ".".join(parts[:i])) in modules]


def _targets(what: Import, depth: int = 0) -> list[str]:
    """The modules that an import makes another one depend on; through a module that only lists, those it lists."""
    modules = index_package(top_of(what.module)) if find_package(top_of(what.module)) else {}
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
