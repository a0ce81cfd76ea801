"""A group of commands, and the option that all of them take."""

from __future__ import annotations

import click

from harness.errors import unknown_name


class Group(click.Group):
    """A group that names its commands where one is asked for that it does not have."""

    def resolve_command(self, ctx: click.Context, args: list[str]):
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError(unknown_name("command", args[0], self.list_commands(ctx)), ctx) from None


def accept_debug(command: click.Command) -> click.Command:
    """Let a command, and the commands of a group, take ``--debug``; the context's object remembers it."""
    if not any(p.name == "debug" for p in command.params):
        command.params.append(
            click.Option(
                ["--debug"],
                is_flag=True,
                expose_value=False,
                callback=_remember,
                help="Show the traceback of an error.",
            )
        )
    for below in getattr(command, "commands", {}).values():
        accept_debug(below)
    return command


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(dict)["debug"] = True
