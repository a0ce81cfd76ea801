"""What goes into the wheel, as far as pyproject.toml says it; ``.ci/run`` builds one and uses it."""

import ast
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from setuptools import find_namespace_packages

from harness import __version__
from harness.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
TYPED = ("harness", "mtcd_plugin", "reports")
MOST_LINES, MOST_ARGUMENTS = 50, 8


def test_every_file_of_the_packages_goes_into_the_wheel():
    packages = find_namespace_packages(str(ROOT), include=SETUPTOOLS["packages"]["find"]["include"])
    for name in ("harness", "mm_configs", "mtcd_plugin", "reports"):
        data = SETUPTOOLS["package-data"][name]
        for path in (p for p in (ROOT / name).rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            module = path.suffix == ".py" and ".".join(path.parent.relative_to(ROOT).parts) in packages
            listed = any(path in set((ROOT / name).glob(p if not p.endswith("**") else f"{p}/*")) for p in data)
            assert module or listed, path


def test_every_package_is_typed():
    for name in TYPED:
        assert (ROOT / name / "py.typed").is_file()


def test_there_is_one_version():
    assert PROJECT["project"]["dynamic"] == ["version"] and "version" not in PROJECT["project"]
    assert SETUPTOOLS["dynamic"]["version"] == {"attr": "harness.__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_every_command_is_held_to_import_no_other():
    contract = next(
        c
        for c in PROJECT["tool"]["importlinter"]["contracts"]
        if c["type"] == "independence" and any(m.startswith("harness.cli.") for m in c["modules"])
    )
    assert {*contract["modules"]} == {f"harness.cli.{module}" for module, _ in COMMANDS.values()}


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph(*TYPED)
    TopologicalSorter({m: graph.find_modules_directly_imported_by(m) for m in graph.modules}).prepare()


@pytest.fixture(scope="module")
def functions():
    """(where, lines of the file, function, the class that it is in or None) of every function of the packages."""
    found = []
    for path in sorted(p for name in TYPED for p in (ROOT / name).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for outer in ast.walk(ast.parse(text)):
            for f in getattr(outer, "body", ()) if isinstance(getattr(outer, "body", None), list) else ():
                if isinstance(f, ast.FunctionDef):
                    where = f"{path.relative_to(ROOT)}:{f.lineno} {f.name}"
                    found.append((where, text.splitlines(), f, outer if isinstance(outer, ast.ClassDef) else None))
    assert len(found) > 2000
    return found


def test_a_function_of_more_lines_has_its_reason_beside_it(functions):
    """``# long: why`` behind its ``def``; a docstring does not count."""
    for where, lines, f, _ in functions:
        said = f.body[0]
        docstring = said.end_lineno - said.lineno + 1 if ast.get_docstring(f, clean=False) is not None else 0
        length = f.end_lineno - f.lineno + 1 - docstring
        assert length <= MOST_LINES or "  # long: " in lines[f.lineno - 1], f"{where}: {length} lines"


def test_what_takes_more_arguments_is_built_by_a_config_or_is_a_command(functions):
    """Of a class that configs build, or that such classes are made of, and of click's functions every argument is one
    option.
    """
    for where, _, f, owner in functions:
        own = f.args.posonlyargs + f.args.args + f.args.kwonlyargs
        count = len(own) - (owner is not None and own[:1] != [] and own[0].arg in ("self", "cls"))
        decorated = " ".join(ast.unparse(d) for d in (f if owner is None else owner).decorator_list)
        built = where.startswith("mtcd_plugin/") and f.name == "__init__"
        option = built or "click." in decorated or ".command(" in decorated
        assert count <= MOST_ARGUMENTS or option, f"{where}: {count} arguments"
