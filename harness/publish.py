"""Publish the pages: the site as one commit on a branch of its own, without touching the work tree or the index."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path


def publish(site: Path, repo: Path, branch: str, push_to: str | None) -> str:
    """Commit the folder ``site`` as the whole content of ``branch`` and optionally push it. Returns the commit.

    Earlier versions stay in the branch's history, so a link to a published commit keeps its numbers.

    Raises:
        FileNotFoundError: no site. ValueError: git refuses; its own words follow.
    """
    if not (site / "index.html").is_file():
        raise FileNotFoundError(
            f"{site}: no index.html here; run `python -m harness report --site {site}` first"
        )
    if (site / "leaderboard.json").is_file() and not (site / ".nojekyll").exists():
        (site / ".nojekyll").touch()  # hosts that build pages would drop folders that begin with _
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "GIT_INDEX_FILE": str(Path(folder) / "index")}

        def git(*args: str, **kwargs) -> str:
            done = subprocess.run(["git", *args], cwd=repo, env=env, capture_output=True, text=True, **kwargs)
            if done.returncode:
                raise ValueError(f"git {args[0]}: {' '.join(done.stderr.split()) or 'failed'}")
            return done.stdout.strip()

        git("--work-tree", str(site.resolve()), "add", "--all", "--force", ".")
        tree = git("write-tree")
        ref = f"refs/heads/{branch}"
        head = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", ref], cwd=repo, capture_output=True, text=True
        ).stdout.strip()
        if head and git("rev-parse", f"{head}^{{tree}}") == tree:
            commit = head
        else:
            commit = git("commit-tree", tree, *(["-p", head] if head else []), "-m", "Leaderboard pages")
            git("update-ref", ref, commit, *([head] if head else []))
        if push_to:
            git("push", push_to, f"{ref}:{ref}")
    return commit
