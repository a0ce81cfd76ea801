"""``publish``: the pages as a commit on a branch for a static host."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("publish")
@click.option(
    "--site", type=click.Path(path_type=Path), default=Path("site"), show_default=True, help="The pages."
)
@click.option(
    "--repo",
    type=click.Path(path_type=Path),
    default=Path("."),
    show_default=True,
    help="The git repository.",
)
@click.option("--branch", default="gh-pages", show_default=True)
@click.option(
    "--push",
    "remote",
    default=None,
    metavar="REMOTE",
    help="Push the branch to this remote.  [default: commit only]",
)
def command(site: Path, repo: Path, branch: str, remote: str | None) -> int:
    """Commit the pages on a branch of their own. Nothing is pushed unless --push names a remote."""
    from harness.publish import publish

    commit = publish(site, repo, branch, remote)
    click.echo(
        f"{branch} is {commit[:12]}"
        + (f", pushed to {remote}" if remote else "; add --push origin to publish it")
    )
    return 0
