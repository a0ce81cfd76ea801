"""Names that the declared dependencies define, read from their files as text: none of them is imported."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from harness.fingerprint.source import find_package

DEFINED = re.compile(rb"^\s*(?:class|def) (\w+)|register_module\(\s*(?:name=)?\[?\s*['\"](\w+)", re.MULTILINE)
REGISTERED = re.compile(rb"^@\w+\.register_module\([^)]*\)\s+class (\w+)", re.MULTILINE)
CLASS = re.compile(rb"^class ([A-Z]\w+)", re.MULTILINE)


@cache
def names_of_dependencies() -> frozenset[str]:
    """Classes and functions that MMAction2 and what it builds on define or register."""
    places = (("mmengine", ""), ("mmcv", ""), ("mmaction", ""), ("torch", "optim"), ("torch", "nn/modules"))
    return frozenset().union(*(names_in(package, inside) for package, inside in places))


@cache
def classes_of_dependencies() -> frozenset[str]:
    """Those that a config can name: MMAction2's and what it builds on register, PyTorch's layers and optimisers."""
    places = [(p, "", REGISTERED) for p in ("mmengine", "mmcv", "mmaction")]
    places += [("torch", inside, CLASS) for inside in ("optim", "nn/modules")]
    return frozenset().union(*(names_in(*place) for place in places))


@cache
def optimizer_arguments(name: str) -> tuple[str, ...]:
    """What one of PyTorch's optimisers takes beside parameters; () where it is none of these, or takes anything."""
    for root in find_package("torch"):
        for path in sorted((root / "optim").glob("*.py")):
            source = path.read_bytes()
            if name.encode() not in CLASS.findall(source):
                continue
            (found,) = (n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == name)
            for made in found.body:
                if isinstance(made, ast.FunctionDef) and made.name == "__init__" and made.args.kwarg is None:
                    return tuple(a.arg for a in (*made.args.args[2:], *made.args.kwonlyargs))
    return ()


@cache
def names_in(package: str, inside: str, pattern: re.Pattern[bytes] = DEFINED) -> frozenset[str]:
    """What the files below a folder of a package define or register, read as text."""
    found: set[str] = set()
    for root in find_package(package):
        for path in (Path(root) / inside).rglob("*.py"):
            found |= {m[m.lastindex or 0].decode() for m in pattern.finditer(path.read_bytes())}
    return frozenset(found)
