"""A group of commands, and the options that all of them take."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from harness.cli.console import Console
from harness.errors import near, unknown_name

LONGEST = 1000  # characters of what a command does: click would cut it where a line ends


class Command(click.Command):
    """A command that takes no option twice where only the last would count."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:  # by completion, of a line that is being written
            _, _, given = self.make_parser(ctx).parse_args(list(args))
            options = Counter(p for p in given if isinstance(p, click.Option) and not (p.multiple or p.is_flag))
            for option in (o for o, times in options.items() if times > 1):
                raise click.UsageError(f"{option.opts[-1]} is given {options[option]} times; give it once", ctx)
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A group that names its commands where one is asked for that it does not have, and whose help says in a whole
    sentence what each does.
    """

    command_class = Command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError(unknown_name("command", args[0], self.list_commands(ctx)), ctx) from None

    def about(self, ctx: click.Context, name: str) -> str:
        """What a command does: the first sentence of its help."""
        command = self.get_command(ctx, name)
        return command.get_short_help_str(limit=LONGEST) if command else ""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.about(ctx, name)) for name in self.list_commands(ctx)])


def no_such_option(e: click.NoSuchOption) -> str:
    """The text of an error about an option that there is not, with those that are like it; click counts the dashes, in
    which all are alike.
    """
    like = [p for p in e.possibilities or () if near(e.option_name.lstrip("-"), [p.lstrip("-")])]
    return click.NoSuchOption(e.option_name, e.message, like, e.ctx).format_message()


EVERYWHERE = {
    "verbose": (
        ["-v", "--verbose"],
        "Say more: what is planned and started, and the path of the log file if one is written.",
    ),
    "quiet": (["-q", "--quiet"], "Say less: results, warnings and errors alone."),
    "debug": (["--debug"], "Show the traceback of an error."),
}


def accept_everywhere(command: click.Command) -> click.Command:
    """Let a command, and the commands of a group, take ``-v``, ``-q`` and ``--debug``."""
    known = {p.name for p in command.params}
    for name, (flags, text) in EVERYWHERE.items():
        if name not in known:
            command.params.append(
                click.Option([*flags, name], is_flag=True, expose_value=False, callback=_remember, help=text)
            )
    for below in getattr(command, "commands", {}).values():
        accept_everywhere(below)
    return command


def _remember(ctx: click.Context, option: click.Parameter, value: bool) -> None:
    """Tell the console, which is the context's object."""
    if value and isinstance(ctx.obj, Console):
        ctx.obj.ask(str(option.name))
