"""``doctor``: what is installed, which device will be used, what is wrong and how to mend it."""

from __future__ import annotations

import click


@click.command("doctor")
def command() -> int:
    """What is installed, which device will be used, what is wrong and how to mend it.

    Exit code 1 where something is wrong.
    """
    from harness.system.doctor import checks

    bad = 0
    for check in checks():
        click.echo(f"{'ok ' if check.ok else 'BAD'}  {check.name:22s} {check.found}")
        if not check.ok:
            bad += 1
            click.echo(f"     {'':22s} -> {check.remedy}")
    click.echo("all is well" if not bad else f"{bad} thing{'s' if bad > 1 else ''} to mend")
    return 1 if bad else 0
