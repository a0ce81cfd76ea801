"""Git as a child process, in the repository that is named and in no other."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

# set inside git's own hooks, where they would lead to another repository or index than the named one
ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)


class GitError(ValueError):
    """Git refused; the message is its own, in one line, without the passwords of addresses."""


def git(repo: Path, *args: str, stdin: str = "", index: Path | None = None) -> str:
    """Run one git command and return what it prints, stripped.

    Args:
        stdin: its standard input. index: a file that takes the place of the repository's index.

    Raises:
        GitError: git refused, or there is no git.
    """
    env = {k: v for k, v in os.environ.items() if k not in ELSEWHERE} | {"LC_ALL": "C"}
    if index is not None:
        env["GIT_INDEX_FILE"] = str(index)
    try:
        done = subprocess.run(
            ["git", *args],
            cwd=repo,
            env=env,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",  # paths are bytes: they come back as they were
        )
    except FileNotFoundError:
        what = "git is not installed" if Path(repo).is_dir() else f"{repo}: no such folder"
        raise GitError(what) from None
    if done.returncode:
        said = " ".join(f"{done.stderr} {done.stdout}".split()) or f"exit code {done.returncode}"
        raise GitError(f"git {args[0]}: {without_password(said)}")
    return done.stdout.strip()


def without_password(text: str) -> str:
    """Addresses as ``https://user:token@host/`` lose what stands before the host."""
    return re.sub(r"(\w://)[^/@\s]+@", r"\1", text)
