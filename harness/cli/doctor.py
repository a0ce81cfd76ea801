"""``doctor``: is the installation sound?"""

from __future__ import annotations

import click

from harness.cli.common import print_json
from harness.cli.group import Command
from harness.cli.options import json_option


@click.command("doctor", cls=Command)
@json_option("a list of {name, ok, found, remedy}")
def command(as_json: bool) -> int:
    """Check the installation, say which device will be used, and print the fix of what fails.

    Exit code 1 where something is wrong.
    """
    from harness.system.doctor import checks

    found = []
    for check in checks(_dataset_classes):
        found.append({"name": check.name, "ok": check.ok, "found": check.found, "remedy": check.remedy})
        if as_json:
            continue
        click.echo(f"{'ok ' if check.ok else 'BAD'}  {check.name:22s} {check.found}")
        if not check.ok:
            click.echo(f"     {'':22s} -> {check.remedy}")
    bad = sum(not check["ok"] for check in found)
    if as_json:
        print_json(found)
    else:
        click.echo(f"{bad} problem{'' if bad == 1 else 's'} found" if bad else "no problems found")
    return 1 if bad else 0


def _dataset_classes() -> list[str]:
    """Of the data sets that the harness knows by itself."""
    from harness.data.names import BUILT_IN
    from harness.data.registry import data_set

    return [data_set(name).dataset_class for name in BUILT_IN]
