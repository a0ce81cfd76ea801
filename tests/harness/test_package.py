"""What goes into the wheel, as far as pyproject.toml says it; ``.ci/run`` builds one and uses it."""

import re
import tomllib
from pathlib import Path

from setuptools import find_namespace_packages

from harness import __version__
from harness.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]


def test_every_file_of_the_packages_goes_into_the_wheel():
    packages = find_namespace_packages(str(ROOT), include=SETUPTOOLS["packages"]["find"]["include"])
    for name in ("harness", "mm_configs", "mtcd_plugin", "reports"):
        data = SETUPTOOLS["package-data"][name]
        for path in (p for p in (ROOT / name).rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            module = path.suffix == ".py" and ".".join(path.parent.relative_to(ROOT).parts) in packages
            listed = any(path in set((ROOT / name).glob(p if not p.endswith("**") else f"{p}/*")) for p in data)
            assert module or listed, path


def test_every_package_is_typed():
    for name in ("harness", "mtcd_plugin", "reports"):
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
