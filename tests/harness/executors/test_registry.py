"""Executors are found by entry points, and get their own options alone."""

import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest

from harness.cli import cli
from harness.cli.options import execution_options
from harness.errors import BadUsage
from harness.executors import registry
from harness.executors.base import Resources
from harness.executors.checked import ExecutorFault

OTHER = """
class Toy:
    name, options, slots = "toy", {"--queue": {"help": "Queue."}}, 3

    @classmethod
    def create(cls, options, resources):
        toy = cls()
        toy.given = options, resources
        return toy

    def submit(self, run_dir, resources): ...
    def attach(self, job_id): ...
    def wait(self, timeout): ...
    def free_memory(self): ...
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs a package, as pip would, which brings an executor."""
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.executors.cache_clear()

    def go(text, name="toy", package="toy_engine"):
        (tmp_path / f"{package}.py").write_text(text)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[harness.executors]\n{name} = {package}:Toy\n")
        monkeypatch.delitem(sys.modules, package, raising=False)

    yield go
    registry.executors.cache_clear()


@pytest.fixture
def toy(install):
    install(OTHER)


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
    ("slots", "said"),
    [
        ("name, options", "slots failed (AttributeError: 'Toy' object has no attribute 'slots')"),
        ("slots, name, options = 0,", "slots is 0, not how many jobs it takes at a time, from 1 on"),
        ("slots, name, options = '3',", "slots is '3', not how many jobs it takes at a time, from 1 on"),
    ],
)
def test_an_executor_that_does_not_say_how_many_jobs_it_takes_is_named_before_anything_starts(install, slots, said):
    declared = 'name, options, slots = "toy", {"--queue": {"help": "Queue."}}, 3'
    named = slots if "=" in slots else f"{slots} ="
    assert declared in OTHER
    install(OTHER.replace(declared, f'{named} "toy", {{}}'))
    with pytest.raises(ExecutorFault, match=re.escape(f"executor toy: {said}")):
        registry.make_executor("toy", {}, Resources())


@pytest.mark.parametrize(
    ("backend", "given", "said"),
    [
        ("cloud", {}, "--backend cloud: not installed; choose from local, ray, slurm, toy"),
        ("toy", {"jobs": 2}, "--jobs: is an option of --backend local; --backend toy has --queue"),
        ("toy", {"detach": True}, "--detach: is an option of --backend ray and slurm; --backend toy has --queue"),
        ("local", {"queue": "x"}, "--queue: is an option of --backend toy; --backend local has --jobs, --jobs-per-gpu"),
    ],
)
def test_what_does_not_fit_is_named_with_the_choices(toy, backend, given, said):
    with pytest.raises(BadUsage) as error:
        registry.make_executor(backend, given, Resources())
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (
            "import never_there",
            "toy",
            "cannot be loaded (No module named 'never_there'); fix or uninstall its package",
        ),
        ("1 / 0", "toy", "cannot be loaded (division by zero)"),
        ("", "toy", "cannot be loaded (module 'toy_engine' has no attribute 'Toy')"),
        ("Toy = 3", "toy", "is no harness.executors.base.Executor: it has no name and no options"),
        (OTHER.replace("def wait", "def sleep"), "toy", "it has no wait; correct entry-point group harness.executors"),
        (OTHER, "cloud", "executor cloud: toy_engine:Toy is named 'toy'"),
        (OTHER, "local", "executor local is declared twice in entry-point group harness.executors"),
        (OTHER.replace("--queue", "--queue/--no-queue"), "toy", "option '--queue/--no-queue'; write it as --one-name"),
        (OTHER.replace("--queue", "--jobs"), "toy", "executor toy: another one declares option --jobs in another way"),
    ],
)
def test_a_package_that_brings_no_executor_is_named_in_one_line(install, text, name, said):
    install(text, name)
    with pytest.raises(ValueError, match=re.escape(said)):
        registry.executor_options()


def test_a_package_that_the_harness_needs_and_this_python_lacks_is_no_fault_of_an_executor(monkeypatch):
    lacking = EntryPoint("local", "never_there:LocalExecutor", registry.GROUP)
    monkeypatch.setattr(registry, "BUILT_IN", (lacking,))
    monkeypatch.setattr(registry, "entry_points", lambda group: ())
    registry.executors.cache_clear()
    with pytest.raises(ValueError, match=f"{re.escape(sys.executable)} has no module never_there: activate the env"):
        registry.executor_options()
    registry.executors.cache_clear()


def test_two_packages_that_bring_one_name_are_both_named(install):
    install(OTHER)
    install(OTHER, package="other_engine")
    with pytest.raises(ValueError, match=r"toy is declared twice .*toy_engine:Toy.*; rename one of them"):
        registry.executors()


def test_an_option_that_a_command_has_itself_is_refused(monkeypatch):
    @click.command("run")
    @click.option("--retries")
    @click.option("--retries")
    def twice(**given):
        """Of an executor and of the command."""

    monkeypatch.setattr("harness.cli.run.command", twice)
    with pytest.raises(ValueError, match="--retries is an option of `run`, and an installed executor's too"):
        cli.get_command(click.Context(cli), "run")
