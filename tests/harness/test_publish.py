"""``publish`` commits the site on its own branch and touches nothing else."""

import subprocess

import pytest

from harness.publish import publish


def git(repo, *args):
    return subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *args],
        cwd=repo,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture
def repo(tmp_path, monkeypatch):
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "t")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "t@t")
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "code.py").write_text("x = 1\n")
    (root / ".gitignore").write_text("site/\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "code")
    site = root / "site"
    (site / "runs").mkdir(parents=True)
    (site / "index.html").write_text("<p>1</p>")
    (site / "runs" / "a.html").write_text("<p>a</p>")
    (root / "half done.py").write_text("")
    return root


def test_the_branch_holds_the_site_and_the_rest_is_untouched(repo):
    before = git(repo, "rev-parse", "main"), git(repo, "status", "--porcelain")
    commit = publish(repo / "site", repo, "gh-pages", None)
    assert set(git(repo, "ls-tree", "-r", "--name-only", commit).splitlines()) == {
        "index.html",
        "runs/a.html",
    }
    assert (git(repo, "rev-parse", "main"), git(repo, "status", "--porcelain")) == before


def test_a_second_publication_follows_the_first_and_an_equal_one_makes_no_commit(repo):
    first = publish(repo / "site", repo, "gh-pages", None)
    assert publish(repo / "site", repo, "gh-pages", None) == first
    (repo / "site" / "index.html").write_text("<p>2</p>")
    (repo / "site" / "runs" / "a.html").unlink()
    second = publish(repo / "site", repo, "gh-pages", None)
    assert git(repo, "rev-parse", f"{second}^") == first
    assert git(repo, "ls-tree", "-r", "--name-only", second) == "index.html"


def test_push_goes_to_the_named_remote(repo, tmp_path):
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    commit = publish(repo / "site", repo, "gh-pages", "origin")
    assert git(tmp_path / "remote.git", "rev-parse", "gh-pages") == commit


def test_what_is_no_site_or_no_remote_is_one_line(repo, tmp_path):
    with pytest.raises(FileNotFoundError, match="no index.html"):
        publish(tmp_path, repo, "gh-pages", None)
    with pytest.raises(ValueError, match="git push"):
        publish(repo / "site", repo, "gh-pages", "nowhere")
