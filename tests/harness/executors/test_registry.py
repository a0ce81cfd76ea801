"""Executors are found by entry points, and get their own options alone."""

import tomllib
from pathlib import Path

import click
import pytest

from harness.cli.options import execution_options
from harness.errors import BadUsage
from harness.executors import registry
from harness.executors.base import Resources

OTHER = """
class Toy:
    name, options, slots = "toy", {"--queue": {"help": "Queue."}}, 3

    @classmethod
    def create(cls, options, resources):
        toy = cls()
        toy.given = options, resources
        return toy
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A package, installed as pip would, that brings an executor."""
    (tmp_path / "toy_engine.py").write_text(OTHER)
    info = tmp_path / "toy_engine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[harness.executors]\ntoy = toy_engine:Toy\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.executors.cache_clear()
    yield
    registry.executors.cache_clear()


def test_a_checkout_without_metadata_has_what_the_package_declares():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    declared = project["project"]["entry-points"][registry.GROUP]
    assert {p.name: p.value for p in registry.BUILT_IN} == declared


def test_an_executor_of_another_package_is_a_backend_with_its_own_options(toy):
    given = {"jobs": None, "jobs_per_gpu": None, "queue": "long", "retries": 1}
    made = registry.make_executor("toy", given, Resources(2))
    assert made.slots == 3 and made.given == ({"queue": "long"}, Resources(2))
    command = click.command("run")(execution_options(lambda **given: None))
    flags = {flag for option in command.params for flag in option.opts}
    assert {"--queue", "--jobs", "--backend"} <= flags


@pytest.mark.parametrize(
    ("backend", "given", "said"),
    [
        ("cloud", {}, "--backend cloud: not installed; choose from local, toy"),
        ("toy", {"jobs": 2}, "--jobs: is an option of --backend local; --backend toy has --queue"),
        ("local", {"queue": "x"}, "--queue: is an option of --backend toy; --backend local has --jobs, --jobs-per-gpu"),
    ],
)
def test_what_does_not_fit_is_named_with_the_choices(toy, backend, given, said):
    with pytest.raises(BadUsage) as error:
        registry.make_executor(backend, given, Resources())
    assert str(error.value) == said
