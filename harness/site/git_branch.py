"""Publish the pages: one commit on a branch of their own, built on that branch's tip without a checkout.

Work tree, index and every other branch stay as they are. With a remote the commit goes there directly: where the remote
refuses it, no branch here has moved (git's object store keeps what nothing refers to until ``git gc``).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadUsage, unknown_name
from harness.ledger.files import sha256_of
from harness.ledger.site_manifest import (
    MANIFEST,
    OWN_DOMAIN,
    check_manifest,
    files_below,
    not_written,
    overlap,
    read_manifest,
    running_since,
)
from harness.site.methods import other_methods
from harness.system.git import GitError, git, without_password

DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\s*")
NO_BRANCH = re.compile(r"@|[A-Z_]*HEAD|refs/.*|[0-9a-f]{40}|[0-9a-f]{64}")  # git reads these as other things first
Tree = dict[str, str]  # path -> "<mode> <object id>"


@dataclass(frozen=True)
class Publication:
    """What ``publish`` did, or would do.

    Attributes:
        commit: the branch's tip that holds the pages; "" for a dry run that would make one.
        changes: "A", "M" or "D" (added, modified, deleted) and path, against the branch as it was.
        kept: files of the branch that no report wrote, left as they are.
        address: where the pages can be read, as far as the remote's address tells; "" otherwise.
    """

    commit: str
    changes: list[tuple[str, str]]
    kept: list[str]
    address: str


def check_as_written(site: Path) -> None:
    """See whether a site can be published at all, before anything is written anew to compare it with.

    Raises:
        FileNotFoundError: ``site`` is no leaderboard. ValueError: a page was edited, or the pages say that jobs run.
    """
    if not (site / MANIFEST).is_file():
        raise FileNotFoundError(f"{site}: no leaderboard here; run `python -m harness report --site {site}` first")
    text = (site / MANIFEST).read_text(encoding="utf-8", errors="replace")
    if at := running_since(text):
        raise ValueError(
            f"{site}: its pages say that jobs run, as of {at}; publish them when the run is over, or write others with "
            "`python -m harness report --site DIR` and publish these"
        )
    written = read_manifest(text) or {}
    edited = [n for n in sorted(written) if not (site / n).is_file() or sha256_of(site / n) != written[n]]
    if edited:
        raise _differ(site, edited, "is not as the report wrote it")


def check_pages(site: Path, fresh: Path) -> list[str]:
    """Hold a site against the pages that the ledger gives now; returns the files beside them that will not go out.

    Args:
        site: what is to be published. fresh: a site that was just written from the ledger.

    Raises:
        FileNotFoundError: ``site`` is no leaderboard. ValueError: as ``check_as_written``, or the ledger says something
            else by now.
    """
    check_as_written(site)
    wanted = {n: sha256_of(fresh / n) for n in files_below(fresh)}
    written = read_manifest((site / MANIFEST).read_text(encoding="utf-8", errors="replace")) or {}
    found = {n: sha256_of(site / n) for n in wanted | written if (site / n).is_file()}
    differ = sorted((n for n in wanted | written if found.get(n) != wanted.get(n)), key=lambda n: (n == MANIFEST, n))
    if differ:
        because = other_methods(site, fresh)
        raise _differ(site, differ, f"is not what the ledger gives now{because and f' ({because})'}")
    return [n for n in not_written(files_below(site), written) if n != OWN_DOMAIN]


def _differ(site: Path, names: Sequence[str], why: str) -> ValueError:
    more = f" ({len(names)} files differ)" if len(names) > 1 else ""
    return ValueError(
        f"{site / names[0]}: {why}{more}; run `python -m harness report` and look at the pages again. It takes "
        "--work-dir, --configs and --site, which must be the same here"
    )


def publish(
    site: Path, files: list[str], repo: Path, branch: str, remote: str = "", dry_run: bool = False
) -> Publication:
    """Commit files of a site to a branch, in the place of the leaderboard that is there, and push it.

    With a remote, its branch is fetched and built on, and the commit is pushed to it; local branches have no part in
    it. Without, the commit goes to the local branch. Files of the branch that no report wrote stay. Equal pages make no
    commit.

    Args:
        files: paths below ``site``, with slashes. remote: name or address; "" for the local branch.

    Raises:
        BadUsage: the branch is checked out, holds something else than a leaderboard, or the remote is unknown.
        ValueError: git refuses; its own words follow.
    """
    files = sorted({*files, MANIFEST} | ({OWN_DOMAIN} if (site / OWN_DOMAIN).is_file() else set()))
    domain = _domain(site / OWN_DOMAIN) if OWN_DOMAIN in files else ""
    ref = f"refs/heads/{branch}"
    local, tip = find_tips(repo, branch, remote)
    old = _tree(repo, tip) if tip else {}
    kept = [n for n in _foreign(repo, tip, old, branch) if n not in files or n != OWN_DOMAIN] if tip else []
    if clash := overlap(kept, files):
        raise ValueError(
            f"{branch}: no report wrote {clash} there, and a page has its place now; remove it from the branch"
        )
    new = _store(repo, site, files, write=not dry_run) | {n: old[n] for n in kept}
    changes = _changes(old, new)
    address = page_address(_url(repo, remote), domain or _published_domain(repo, tip, kept)) if remote else ""
    if not changes or dry_run:
        return Publication(tip if not changes else "", changes, kept, address)
    commit = _commit(repo, new, tip)
    if remote:
        _push(repo, remote, commit, ref)
    else:
        git(repo, "update-ref", "-m", "publish", ref, commit, local or "0" * len(commit))
    return Publication(commit, changes, kept, address)


def page_address(url: str, domain: str = "") -> str:
    """The address of a branch's pages: the user's own domain, or that of GitHub Pages; "" for other hosts."""
    if domain:
        return f"https://{domain}/"
    found = re.fullmatch(r"(?:\w+://)?(?:[^@/]+@)?github\.com(?::\d+/|[:/])/?([^/]+)/([^/]+?)(?:\.git)?/?", url)
    if not found:
        return ""
    owner, name = found[1].lower(), found[2]
    return f"https://{owner}.github.io/" + ("" if name.lower() == f"{owner}.github.io" else f"{name}/")


def _domain(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    if not DOMAIN.fullmatch(text):
        raise ValueError(f"{path}: must hold one domain name, as in bench.example.org")
    return text.strip()


def _published_domain(repo: Path, tip: str, kept: list[str]) -> str:
    return git(repo, "cat-file", "blob", f"{tip}:{OWN_DOMAIN}") if OWN_DOMAIN in kept else ""


def find_tips(repo: Path, branch: str, remote: str = "") -> tuple[str, str]:
    """The tips of the local branch and of the one to build on, its objects here; "" for one that is not there.

    Args:
        remote: name or address, whose branch is fetched; "" where the local branch is built on.

    Raises:
        BadUsage: the branch cannot take the pages, or the remote is unknown. GitError: the remote does not answer.
    """
    check_branch(repo, branch)
    ref = f"refs/heads/{branch}"
    local = _tip(repo, ref)
    tip = _fetch(repo, remote, ref) if remote else local
    for commit, where in {local: branch, tip: f"{branch} of {without_password(remote)}" if remote else branch}.items():
        if commit and not _is_leaderboard(repo, commit):
            raise BadUsage(
                f"--branch {branch}: {where} holds no leaderboard, and would lose what it holds; choose another"
            )
    return local, tip


def check_branch(repo: Path, branch: str) -> None:
    """Raises GitError outside a repository, BadUsage for a branch that is checked out or cannot be one."""
    try:
        git(repo, "rev-parse", "--git-dir")
    except GitError as e:
        raise GitError(f"--repo {repo}: {e}; give the folder of a git repository") from None
    ref = f"refs/heads/{branch}"
    try:
        read_as = git(repo, "check-ref-format", "--branch", branch)
    except GitError:
        raise BadUsage(f"--branch {branch}: is not a name for a branch; choose one as gh-pages") from None
    others = [f"refs/{branch}", f"refs/tags/{branch}", f"refs/remotes/{branch}"]
    taken = [r for r in git(repo, "for-each-ref", "--format=%(refname)", *others).splitlines() if r in others]
    if read_as != branch or NO_BRANCH.fullmatch(branch) or taken:
        means = f", which is {taken[0]} here" if taken else " by itself"
        raise BadUsage(
            f"--branch {branch}: git takes it for something else than a branch{means}; choose one as gh-pages"
        )
    tree = ""
    for line in git(repo, "worktree", "list", "--porcelain").splitlines():
        word, _, rest = line.partition(" ")
        if word == "worktree":
            tree = rest
        elif word == "branch" and rest == ref:
            raise BadUsage(
                f"--branch {branch}: is checked out in {tree}; choose a branch for the pages alone, as gh-pages"
            )


def _tip(repo: Path, ref: str) -> str:
    return git(repo, "for-each-ref", "--format=%(objectname)", ref)


def _url(repo: Path, remote: str) -> str:
    """The address that a remote is pushed to, or the address itself."""
    names = git(repo, "remote").splitlines()
    if remote in names:
        return git(repo, "remote", "get-url", "--push", remote)
    if remote.startswith("-") or not re.search(r"[:/]", remote):
        raise BadUsage(f"--push: {unknown_name('remote', remote, names)}")
    return remote


def _fetch(repo: Path, remote: str, ref: str) -> str:
    """The tip of the remote's branch, its objects here; no ref moves. "" where the remote has no such branch."""
    url = _url(repo, remote)
    lines = [line.split("\t", 1) for line in git(repo, "ls-remote", url, ref).splitlines()]
    tip = next((commit for commit, name in lines if name == ref), "")  # git lists every ref that ends so
    if tip:
        git(repo, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", url, ref)
    return tip


def _is_leaderboard(repo: Path, commit: str) -> bool:
    return bool(git(repo, "ls-tree", "--name-only", commit, MANIFEST))


def _tree(repo: Path, commit: str) -> Tree:
    found = {}
    for line in git(repo, "ls-tree", "-r", "-z", "--full-tree", commit).split("\0"):
        if line:
            about, _, name = line.partition("\t")
            mode, _, sha = about.split()
            found[name] = f"{mode} {sha}"
    return found


def _foreign(repo: Path, tip: str, tree: Tree, branch: str) -> list[str]:
    """Files of a published tree that no report wrote."""
    text = git(repo, "cat-file", "blob", f"{tip}:{MANIFEST}")
    check_manifest(text, f"{branch}:{MANIFEST}", "choose another branch with --branch, or delete that one")
    return not_written(tree, read_manifest(text))


def _store(repo: Path, site: Path, files: list[str], write: bool) -> Tree:
    """The files as git's objects, byte for byte, written to its store or only named."""
    paths = "".join(f"{(site / name).resolve()}\n" for name in files)
    found = git(repo, "hash-object", *(["-w"] if write else []), "--no-filters", "--stdin-paths", stdin=paths)
    return {name: f"100644 {sha}" for name, sha in zip(files, found.split(), strict=True)}


def _changes(old: Tree, new: Tree) -> list[tuple[str, str]]:
    names = sorted(n for n in old | new if old.get(n) != new.get(n))
    return [("M" if n in old and n in new else "A" if n in new else "D", n) for n in names]


def _commit(repo: Path, tree: Tree, parent: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        lines = "".join(f"{about}\t{name}\0" for name, about in tree.items())
        git(repo, "update-index", "-z", "--index-info", stdin=lines, index=index)
        made = git(repo, "write-tree", index=index)
    return git(repo, "commit-tree", made, *(["-p", parent] if parent else []), "-m", "Leaderboard pages")


def _push(repo: Path, remote: str, commit: str, ref: str) -> None:
    """Raises GitError where the remote refuses: somebody else has pushed meanwhile, or a rule of the remote says no."""
    try:
        git(repo, "push", "--porcelain", remote, f"{commit}:{ref}")
    except GitError as e:
        again = "; somebody else has pushed meanwhile, run the same command again"
        moved = any(words in str(e) for words in ("fetch first", "non-fast-forward", "stale info"))
        name = without_password(remote)
        raise GitError(f"{name} refused the pages, nothing has changed here{again if moved else f': {e}'}") from None
