"""``publish`` puts the ledger's pages on a branch of their own, in real repositories,
and loses and lets out nothing.
"""

import json
import subprocess
from pathlib import Path

import pytest

from harness.bench.made_up import finish
from harness.cli import main
from harness.errors import BadUsage
from harness.ledger.site_manifest import files_below, write_manifest
from harness.plan.workspace import open_workspace, save_plan
from harness.site.git_branch import page_address, publish


def git(repo, *args):
    done = subprocess.run(["git", *args], cwd=repo, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def names(repo, commit):
    return set(git(repo, "ls-tree", "-r", "--name-only", commit).splitlines())


def state(repo):
    """All that a refused publication must leave as it was."""
    fetch_head = (repo / ".git" / "FETCH_HEAD").exists()
    return git(repo, "for-each-ref"), git(repo, "status", "--porcelain"), git(repo, "ls-files", "--stage"), fetch_head


def pages(site, **files):
    """A site as a report leaves it; ``__`` stands for a dot."""
    site.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = site / name.replace("__", ".")
        path.write_text(text)
    write_manifest(site)
    return site


def put(site, repo, branch="gh-pages", remote="", **options):
    return publish(site, files_below(site), repo, branch, remote, **options)


@pytest.fixture(autouse=True)
def somebody(monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "t")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "t@example.org")


@pytest.fixture
def repo(tmp_path):
    """A repository with code on main, a bare remote that has it, half-done work and a staged file."""
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "code.py").write_text("x = 1\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "code")
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(root, "push", "-q", "origin", "main")
    (root / "half done.py").write_text("")
    (root / "staged.py").write_text("")
    git(root, "add", "staged.py")
    return root


@pytest.fixture
def site(tmp_path):
    return pages(tmp_path / "site", index__html="<p>1</p>", a__html="<p>a</p>")


@pytest.fixture
def clone(repo, tmp_path):
    """Somebody else's clone."""
    git(tmp_path, "clone", "-q", str(tmp_path / "remote.git"), "clone")
    return tmp_path / "clone"


def test_the_branch_holds_the_site_and_the_rest_is_untouched(repo, site):
    before = git(repo, "rev-parse", "main"), state(repo)[1:]
    done = put(site, repo)
    assert names(repo, done.commit) == {"index.html", "a.html", ".leaderboard"}
    assert git(repo, "rev-parse", "gh-pages") == done.commit
    assert (git(repo, "rev-parse", "main"), state(repo)[1:]) == before


def test_bytes_go_out_as_they_are(repo, site):
    git(repo, "config", "core.autocrlf", "true")
    (repo / ".git" / "info" / "attributes").write_text("*.html text eol=lf ident\n")
    (site / "a.html").write_bytes(b"$Id$\r\n")
    done = put(site, repo)
    out = subprocess.run(["git", "cat-file", "blob", f"{done.commit}:a.html"], cwd=repo, capture_output=True)
    assert out.stdout == b"$Id$\r\n"


def test_a_second_publication_follows_the_first_and_an_equal_one_makes_no_commit(repo, site):
    first = put(site, repo).commit
    assert put(site, repo).commit == first
    (site / "a.html").unlink()
    (site / ".leaderboard").unlink()
    second = put(pages(site, index__html="<p>2</p>"), repo)
    assert second.changes == [("M", ".leaderboard"), ("D", "a.html"), ("M", "index.html")]
    assert git(repo, "rev-parse", f"{second.commit}^") == first
    assert names(repo, second.commit) == {"index.html", ".leaderboard"}


@pytest.mark.parametrize("remote", ["", "origin"])
def test_a_branch_that_is_checked_out_is_refused(repo, site, tmp_path, remote):
    put(site, repo, "gh-pages")
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"), "gh-pages")
    git(repo, "branch", "feature")
    before = state(repo)
    with pytest.raises(BadUsage, match="--branch main: is checked out in .*repo"):
        put(site, repo, "main", remote)
    with pytest.raises(BadUsage, match="--branch gh-pages: is checked out in .*tree"):
        put(site, repo, "gh-pages", remote)
    with pytest.raises(BadUsage, match="--branch feature: feature holds no leaderboard"):
        put(site, repo, "feature", remote)
    with pytest.raises(BadUsage, match="is not a name"):
        put(site, repo, "two words", remote)
    assert state(repo) == before


@pytest.mark.parametrize("remote", ["", "origin"])
@pytest.mark.parametrize(
    "name",
    [
        "HEAD",
        "@",
        "@{-1}",
        "FETCH_HEAD",
        "--force",
        "-d",
        "refs/heads/main",
        "refs/heads/pages",
        "heads/main",
        "origin/main",
    ]
    + ["v1", "0" * 40, ""],
)
def test_a_name_that_git_takes_for_something_else_is_refused(repo, site, tmp_path, name, remote):
    git(repo, "tag", "v1")
    git(repo, "checkout", "-qb", "other")
    git(repo, "checkout", "-q", "main")
    before = state(repo), git(tmp_path / "remote.git", "for-each-ref")
    with pytest.raises(BadUsage, match="--branch .*: (is not a name for a branch|git takes it for something else)"):
        put(site, repo, name, remote)
    assert (state(repo), git(tmp_path / "remote.git", "for-each-ref")) == before


def test_a_remote_is_never_read_as_an_option_of_git(repo, site, tmp_path):
    with pytest.raises(BadUsage, match="unknown remote"):
        put(site, repo, remote=f"--upload-pack=touch {tmp_path}/ran;:")
    assert not (tmp_path / "ran").exists()


def test_another_branch_of_the_remote_whose_name_ends_so_is_not_taken_for_the_pages(repo, site, tmp_path):
    git(repo, "push", "-q", "origin", "main:refs/heads/a/refs/heads/gh-pages")
    done = put(site, repo, remote="origin")
    assert git(tmp_path / "remote.git", "rev-list", "gh-pages").split() == [done.commit]


def test_the_branch_of_a_repository_without_commits_is_refused(site, tmp_path):
    git(tmp_path, "init", "-q", "-b", "trunk", "new")
    with pytest.raises(BadUsage, match="--branch trunk: is checked out"):
        put(site, tmp_path / "new", "trunk")
    put(site, tmp_path / "new", "gh-pages")


def test_a_source_branch_of_the_remote_is_refused(repo, site, clone):
    git(clone, "checkout", "-q", "--detach")
    git(clone, "branch", "-D", "main")
    with pytest.raises(BadUsage, match="main of origin holds no leaderboard"):
        put(site, clone, "main", "origin")


def test_any_clone_builds_on_the_tip_of_the_remote(repo, site, clone, tmp_path):
    first = put(site, repo, remote="origin")
    assert "gh-pages" not in git(repo, "branch", "--list")  # the local branch plays no part
    second = put(pages(tmp_path / "other", index__html="<p>2</p>"), clone, remote="origin")
    third = put(pages(site, index__html="<p>3</p>"), repo, remote="origin")
    remote = tmp_path / "remote.git"
    assert git(remote, "rev-list", "gh-pages").split() == [third.commit, second.commit, first.commit]


def test_a_push_that_comes_second_is_refused_and_leaves_nothing_behind(repo, site, clone, tmp_path, monkeypatch):
    import harness.site.git_branch as module

    put(site, repo, remote="origin")
    other, commit = pages(tmp_path / "other", index__html="<p>other</p>"), module._commit

    def meanwhile(*args):
        monkeypatch.setattr(module, "_commit", commit)
        put(other, clone, remote="origin")
        return commit(*args)

    before = state(repo)
    monkeypatch.setattr(module, "_commit", meanwhile)
    pages(site, index__html="<p>late</p>")
    with pytest.raises(
        ValueError, match="origin refused the pages, nothing has changed here; somebody else has pushed"
    ):
        put(site, repo, remote="origin")
    assert state(repo) == before
    assert git(tmp_path / "remote.git", "show", "gh-pages:index.html") == "<p>other</p>"
    put(site, repo, remote="origin")
    assert git(tmp_path / "remote.git", "show", "gh-pages:index.html") == "<p>late</p>"


def test_a_push_that_a_hook_declines_leaves_nothing_behind(repo, site, tmp_path):
    hook = tmp_path / "remote.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no pages here\nexit 1\n")
    hook.chmod(0o755)
    before = state(repo)
    with pytest.raises(ValueError, match="no pages here"):
        put(site, repo, remote="origin")
    assert state(repo) == before and not git(tmp_path / "remote.git", "branch", "--list", "gh-pages")


def test_files_of_the_branch_that_no_report_wrote_stay(repo, site, clone):
    put(site, repo, remote="origin")
    git(clone, "fetch", "-q")
    git(clone, "checkout", "-q", "gh-pages")
    (clone / "CNAME").write_text("bench.example.org\n")
    (clone / "old links").mkdir()
    (clone / "old links" / "é.html").write_text("moved")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "domain")
    git(clone, "push", "-q", "origin", "gh-pages")
    done = put(pages(site, index__html="<p>2</p>"), repo, remote="origin")
    assert done.kept == ["CNAME", "old links/é.html"] and done.address == "https://bench.example.org/"
    assert git(repo, "show", f"{done.commit}:old links/é.html") == "moved"
    (clone / "b.html").write_text("mine")
    git(clone, "pull", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "a page of my own")
    git(clone, "push", "-q", "origin", "gh-pages")
    with pytest.raises(ValueError, match="no report wrote b.html there"):
        put(pages(site, b__html="a page of the site"), repo, remote="origin")


def test_a_branch_of_an_earlier_version_is_replaced_but_for_its_domain(repo, site):
    git(repo, "checkout", "-q", "--orphan", "gh-pages")
    for name in ("index.html", "old run.html", ".leaderboard", "CNAME"):
        (repo / name).write_text("Written by a harness without a list\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "pages")
    git(repo, "checkout", "-q", "main")
    assert names(repo, put(site, repo).commit) == {"index.html", "a.html", ".leaderboard", "CNAME"}


@pytest.mark.parametrize("text", ["", '{"files": {"index.ht', "[]", "{}"])
def test_a_branch_whose_list_is_damaged_keeps_what_it_has(repo, site, text):
    git(repo, "checkout", "-q", "--orphan", "gh-pages")
    for name, content in {"index.html": "page", "mine.html": "mine", ".leaderboard": text}.items():
        (repo / name).write_text(content)
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "pages")
    git(repo, "checkout", "-q", "main")
    before = state(repo)
    with pytest.raises(BadUsage, match="gh-pages:.leaderboard: is damaged.*which are your own; choose another branch"):
        put(site, repo)
    assert state(repo) == before


def test_the_domain_of_the_site_goes_out_and_a_second_line_does_not(repo, site):
    (site / "CNAME").write_text("bench.example.org\n")
    done = publish(site, ["index.html"], repo, "gh-pages", "origin")
    assert names(repo, done.commit) == {"index.html", ".leaderboard", "CNAME"}
    assert done.address == "https://bench.example.org/"
    (site / "CNAME").write_text("TOKEN=1\nx.org")
    with pytest.raises(ValueError, match="must hold one domain name"):
        publish(site, ["index.html"], repo, "gh-pages", "origin")


def test_a_dry_run_says_what_would_change_and_changes_nothing(repo, site, tmp_path):
    put(site, repo, remote="origin")
    before = state(repo), git(tmp_path / "remote.git", "for-each-ref"), git(repo, "count-objects")
    done = put(pages(site, b__html="new"), repo, remote="origin", dry_run=True)
    assert done.changes == [("M", ".leaderboard"), ("A", "b.html")] and not done.commit
    assert (state(repo), git(tmp_path / "remote.git", "for-each-ref"), git(repo, "count-objects")) == before


def test_variables_of_a_git_hook_do_not_lead_elsewhere(repo, site, clone, monkeypatch):
    before = state(clone)
    monkeypatch.setenv("GIT_DIR", str(clone / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(clone / ".git" / "index"))
    put(site, repo)
    monkeypatch.undo()
    assert state(clone) == before and git(repo, "branch", "--list", "gh-pages")


def test_no_repository_and_no_remote_are_one_line(repo, site, tmp_path):
    with pytest.raises(ValueError, match="--repo .*: git rev-parse: .*not a git repository.*; give the folder"):
        put(site, tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        put(site, tmp_path / "nowhere")
    with pytest.raises(BadUsage, match="--push: unknown remote 'nowhere'; choose from origin"):
        put(site, repo, remote="nowhere")


def test_a_password_in_an_address_is_not_printed(repo, site):
    with pytest.raises(ValueError, match=r"127\.0\.0\.1") as e:
        put(site, repo, remote="https://me:secret@127.0.0.1:9/x.git")
    assert "secret" not in str(e.value)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://github.com/Some-Body/bench.git", "https://some-body.github.io/bench/"),
        ("https://x:token@github.com/some/bench", "https://some.github.io/bench/"),
        ("git@github.com:some/bench.git", "https://some.github.io/bench/"),
        ("ssh://git@github.com:22/some/bench.git", "https://some.github.io/bench/"),
        ("git@github.com:some/Some.github.io.git", "https://some.github.io/"),
        ("https://git.example.org/some/bench.git", ""),
        ("https://notgithub.com/some/bench.git", ""),
        ("/srv/git/github.com/bench.git", ""),
    ],
)
def test_the_address_follows_from_the_remote(url, address):
    assert page_address(url) == address


# The command: pages of a real, made-up ledger.


@pytest.fixture
def published(repo, small_configs, tiny_data, tmp_path, monkeypatch, capsys):
    """``run(command, *options)`` -> exit code and what was said,
    for a ledger with pages in the repository's ``site``.
    """
    work = tmp_path / "work"
    ws = open_workspace(small_configs, "smoke", tiny_data, None, 1)
    save_plan(ws, work)
    finish(ws.needed().values(), work)
    monkeypatch.chdir(repo)

    def run(command, *options):
        with pytest.raises(SystemExit) as stop:
            main([command, "--work-dir", str(work), "--configs", str(small_configs), *options])
        said = capsys.readouterr()
        return stop.value.code, said.out + said.err

    run.work = work
    assert run("report")[0] == 0
    return run


def test_pages_of_the_ledger_go_out_and_stray_files_do_not(published, repo):
    (repo / "site" / ".env").write_text("TOKEN=1")
    code, said = published("publish", "--push", "origin")
    assert code == 0 and "left out: site/.env" in said and "gh-pages of origin is" in said and "address" in said
    found = names(repo, "origin/gh-pages")
    assert {"index.html", ".nojekyll", "static/style.css"} <= found and ".env" not in found
    assert "holds these pages already" in published("publish", "--push", "origin")[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda site: _edit(site / "index.html"), ["index.html: is not as the report wrote it"]),
        (lambda site: (_edit(site / "index.html"), _forge(site)), ["index.html: is not what the ledger gives now"]),
        (lambda site: (site / "table2.html").unlink(), ["table2.html: is not as the report wrote it"]),
        (lambda site: (site / ".leaderboard").write_text("{}"), [".leaderboard: is not"]),
        (lambda site: (site / ".leaderboard").unlink(), ["no leaderboard here; run `python -m harness report"]),
    ],
)
def test_pages_that_are_not_the_ledgers_do_not_go_out(published, repo, change, words):
    change(repo / "site")
    before = state(repo)
    code, said = published("publish")
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert code == 1 and len(errors) == 1 and all(w in errors[0] for w in words)
    assert state(repo) == before


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda site: _edit(site / "index.html"), (), "index.html: is not as the report wrote it"),
        (
            lambda site: write_manifest(site, {}, "2026-01-02 03:04 UTC"),
            (),
            "say that jobs run, as of 2026-01-02 03:04",
        ),
        (lambda site: None, ("--branch", "main"), "--branch main: is checked out"),
        (lambda site: None, ("--push", "nope"), "--push: unknown remote 'nope'; choose from origin"),
        (lambda site: None, ("--push", "./gone.git"), "./gone.git"),
        (
            lambda site: git(site.parent, "push", "-q", "origin", "main:pages"),
            ("--push", "origin", "--branch", "pages"),
            "pages of origin holds no leaderboard",
        ),
    ],
)
def test_what_cannot_go_out_is_said_before_pages_are_written_anew(published, repo, monkeypatch, change, options, words):
    change(repo / "site")
    monkeypatch.setattr("harness.site.pages.write_site", lambda *a, **k: pytest.fail("pages were written anew"))
    code, said = published("publish", "--dry-run", *options)
    assert code in (1, 2) and words in said and said.count("\n") == 1


def test_a_dry_run_says_that_it_writes_pages_anew_and_how_many(published):
    code, said = published("publish", "--dry-run")
    assert code == 0 and "writing every page anew, to compare it with site" in said
    assert "2 of 2 pages of runs written anew" in said


def _edit(page: Path) -> None:
    text = page.read_text()
    page.write_text(text.replace("</body>", "<b>99.9</b></body>"))
    assert page.read_text() != text


def _forge(site: Path) -> None:
    (site / ".leaderboard").unlink()
    write_manifest(site)


def test_pages_older_than_the_ledger_do_not_go_out(published, repo):
    record = next(published.work.glob("runs/*/run.json"))
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "notes": ["something else by now"]}))
    code, said = published("publish")
    assert code == 1 and "is not what the ledger gives now" in said
    assert published("report")[0] == 0 and published("publish", "--dry-run")[0] == 0
    assert not git(repo, "branch", "--list", "gh-pages")


def test_an_added_config_is_said_to_be_why_pages_do_not_go_out(published, small_configs, capsys):
    with pytest.raises(SystemExit):
        main(["models", "new", "my-method", "--configs", str(small_configs)])
    capsys.readouterr()
    code, said = published("publish")
    assert code == 1 and "the configs have my-method, which these pages do not show" in said
    assert published("report")[0] == 0 and published("publish", "--dry-run")[0] == 0
    (small_configs / "my-method" / "metafile.yml").unlink()
    assert "these pages show my-method, which the configs do not have" in published("publish")[1]


def test_the_site_keeps_the_users_own_files_through_a_report(published, repo):
    (repo / "site" / "CNAME").write_text("bench.example.org\n")
    (repo / "site" / "notes").mkdir()
    (repo / "site" / "notes" / "mine.txt").write_text("kept")
    assert published("report")[0] == 0
    assert (repo / "site" / "CNAME").read_text() == "bench.example.org\n"
    assert (repo / "site" / "notes" / "mine.txt").read_text() == "kept"
    assert "CNAME" not in (repo / "site" / ".leaderboard").read_text()
    code, said = published("publish", "--push", "origin")
    assert code == 0 and "address: https://bench.example.org/" in said and "left out: site/notes/mine.txt" in said
