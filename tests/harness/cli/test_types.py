"""Values of options that are of no use are errors of one line."""

from collections.abc import Iterator

import click
import pytest

from harness.cli import COMMANDS, cli, main
from harness.cli.types import Place
from harness.errors import BadUsage
from harness.plan.status import explain
from harness.suite.scaffold import MOST_LETTERS, new_entry


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, click.Command]]:
    """All commands below a group, by their words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield " ".join([*above, name]), command
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)


def test_no_option_takes_an_unset_variable_for_the_current_folder():
    paths = [(n, p) for n, c in commands(cli) for p in c.params if isinstance(p.type, click.Path)]
    assert {name.split()[0] for name, _ in paths} >= {"run-all", "plan", "report", "status", "verify", "figure", "data"}
    assert [(name, p.name) for name, p in paths if not isinstance(p.type, Place)] == [] and len(COMMANDS) > 10


@pytest.mark.parametrize("option", ["--work-dir", "--data-root", "--configs"])
def test_an_empty_folder_is_said_with_its_option(option, capsys):
    with pytest.raises(SystemExit) as e:
        main(["status", option, ""])
    assert e.value.code == 2 and f"'{option}': is empty" in capsys.readouterr().err


def test_no_job_is_not_all_jobs():
    with pytest.raises(BadUsage, match="^--why: is empty; name a job"):
        explain(None, "", None)


def test_a_name_that_is_too_long_for_files_is_said_with_the_most(tmp_path):
    with pytest.raises(BadUsage, match=f"has 300 letters; the name of a method has {MOST_LETTERS} at most"):
        new_entry(tmp_path, 300 * "a", None, {}, None)
    assert list(tmp_path.iterdir()) == []
