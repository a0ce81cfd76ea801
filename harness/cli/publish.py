"""``publish``: the pages as a commit on a branch for a static host."""

from __future__ import annotations

import logging
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.counter import counter
from harness.cli.group import Command
from harness.cli.options import configs_option, ledgers_options, there
from harness.cli.types import NEW_FOLDER
from harness.errors import count

if TYPE_CHECKING:
    from harness.site.git_branch import Publication

log = logging.getLogger(__name__)


@click.command("publish", cls=Command)
@click.option("--site", type=NEW_FOLDER, default=Path("site"), show_default=True, callback=there, help="The pages.")
@ledgers_options
@configs_option
@click.option(
    "--repo",
    type=NEW_FOLDER,
    default=Path("."),
    show_default=True,
    callback=there,
    help="The git repository.",
)
@click.option("--branch", default="gh-pages", show_default=True, help="A branch for the pages alone.")
@click.option(
    "--push",
    "remote",
    default="",
    metavar="REMOTE",
    help="Build on this remote's branch and push to it.  [default: commit to the local branch]",
)
@click.option("--dry-run", is_flag=True, help="Say what would change on the branch; commit and push nothing.")
def command(
    site: Path,
    work_dirs: tuple[Path, ...],
    profiles: tuple[str, ...],
    configs: Path,
    repo: Path,
    branch: str,
    remote: str,
    dry_run: bool,
) -> int:
    """Put the pages on a branch of their own, for a static host such as GitHub Pages.

    Goes out: the files that `report` wrote, if they are still what the ledger gives (each page is written anew and
    compared: give the options that `report` had), and the site's CNAME. Nothing else of the site's folder goes out;
    what is left behind is listed.

    Stays: work tree, index, other branches, earlier versions in the branch's history, and files of the branch that
    no report wrote.

    Refused: a branch that is checked out, or whose tip is no leaderboard; a site with an edited page; a remote that has
    moved on meanwhile, after which nothing has changed here; pages that say that jobs run.

    With --push, from any clone: the remote's branch is fetched and built on, and the local branch plays no part. Pages
    can prove no more than the ledger: who edits records consistently, or a config's code, publishes what they say.
    """
    from harness.ledger.site_manifest import files_below
    from harness.site.git_branch import check_as_written, check_pages, find_tips, publish
    from harness.site.pages import write_site
    from harness.suite import load_suite
    from reports.site.build import Callbacks

    check_as_written(site)
    find_tips(repo, branch, remote)  # what cannot take the pages is refused before they are written anew
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "site"
        log.info("writing every page anew, to compare it with %s", site)
        show = partial(counter(), "pages of runs written anew")
        write_site(work_dirs, fresh, *load_suite(configs), profiles, callbacks=Callbacks(progress=show))
        for name in check_pages(site, fresh):
            log.info("left out: %s (no report wrote it)", site / name)
        done = publish(site, files_below(fresh), repo, branch, remote, dry_run)
    _tell(done, branch, remote, dry_run)
    return 0


def _tell(done: Publication, branch: str, remote: str, dry_run: bool) -> None:
    """What has changed on the branch, or would have, and where it is seen."""
    from harness.system.git import without_password

    for name in done.kept:
        log.info("kept on the branch: %s (no report wrote it)", name)
    where = f"{branch} of {without_password(remote)}" if remote else branch
    if dry_run:
        for what, name in done.changes:
            click.echo(f"{what}  {name}")
    if not done.changes:
        click.echo(f"{where} holds these pages already: {done.commit[:12]}")
    elif dry_run:
        click.echo(f"dry run: {count(len(done.changes), 'file')} would change on {where}")
    else:
        click.echo(f"{where} is {done.commit[:12]}: {count(len(done.changes), 'file')} changed")
    if remote:
        known = f"address: {done.address} (where the repository's settings serve {branch})"
        host = without_password(remote)
        click.echo(known if done.address else f"address: given by the host of {host}, in its settings for pages")
    elif not dry_run:
        click.echo("add --push origin to publish it")
