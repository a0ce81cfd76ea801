"""What the documentation names is there: files, folders, functions, commands and options."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from harness.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
READMES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "mm_configs").glob("*/README.md"))]
PLACE = re.compile(r"`((?:harness|mtcd_plugin|reports|mm_configs|tests|docs)/[\w./-]*)(?::(\w+))?`")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_files_and_functions_that_a_page_names_are_there(page):
    for name, function in PLACE.findall(page.read_text(encoding="utf-8")):
        path = ROOT / name
        assert path.exists() or re.search("my[-_]", name), f"{page.name}: {name}"
        if function:
            defined = {getattr(node, "name", "") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))}
            assert function in defined, f"{page.name}: {name}:{function}"


def test_commits_that_figures_are_dated_by_are_in_the_history():
    """What was measured can be measured again. A work of one's own is rebased, and its commits are gone."""
    said = {}
    for page in PAGES:
        text = " ".join(page.read_text(encoding="utf-8").split())
        for line in re.findall(r"commits?:? (?:\| )?((?:`?[0-9a-f]{7,40}`?(?:,? and |, | \| |\b))+)", text):
            said |= dict.fromkeys(re.findall(r"[0-9a-f]{7,40}", line), page.name)
    assert len(said) > 10
    if git("rev-parse", "--is-shallow-repository") != "false":
        pytest.skip("needs the history")
    history = set(git("rev-list", "HEAD").split())
    assert {c: page for c, page in said.items() if not any(h.startswith(c) for h in history)} == {}


def git(*words: str) -> str:
    """What git says of this checkout; "" where it says nothing."""
    try:
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def test_the_architecture_names_every_file_of_a_run():
    from harness.ledger import run_dir

    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    names = {Path(v).name for k, v in vars(run_dir).items() if k.isupper() and isinstance(v, (str, Path))}
    assert "run.json" in names and {n for n in names if f"`{n}`" not in text and f"`{n}/`" not in text} == set()


def test_the_page_on_data_names_every_column_of_clips_and_recordings(tmp_path):
    """Who writes the tables reads this page; its example is read as well."""
    from harness.data.segment import recordings
    from mtcd_plugin.formats import mgr_dark

    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    columns = {*mgr_dark.SUBJECT_COLUMNS, *recordings.RECORDING_COLUMNS, *recordings.OPTIONAL_COLUMNS}
    columns -= {"rgb_offset_s"}  # can be nothing but 0
    columns |= {*recordings.SEGMENT_COLUMNS, *mgr_dark.COLUMNS[:6], "<stream>_file", "<stream>_start", "<stream>_end"}
    assert {c for c in columns if f"`{c}`" not in text} == set()
    header, row = re.search(r"^(clip_id,.*)\n(.*)$", text, re.M).groups()
    assert tuple(header.split(",")) == mgr_dark.COLUMNS
    (tmp_path / "annotations.csv").write_text(f"{header}\n{row}\n")
    (tmp_path / "subjects.csv").write_text("subject,split\nanna,train\n")
    (tmp_path / "classes.txt").write_text("stop\n")
    (clip,) = mgr_dark.read_mgr_dark(str(tmp_path)).clips
    assert sorted(clip.streams) == ["ir", "rgb"] and clip.streams["ir"].frames == 60


@pytest.mark.parametrize("page", READMES, ids=lambda p: p.parent.name)
def test_links_between_files_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("package", ["harness", "reports"])
def test_the_layers_are_those_that_import_linter_holds(package):
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = re.search(rf"^{package} ( +\w.*\n)((?: {{10}}\w.*\n)+)", text, re.M)
    drawn = [line.strip().split("  ")[0] for line in (block[1] + block[2]).splitlines()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (held,) = (c["layers"] for c in contracts if c["type"] == "layers" and c["containers"] == [package])
    assert drawn == [layer for layer in held if layer != "__main__"]


def commands(page):
    """The command lines of a page, as words."""
    for line in re.findall(r"python -m harness ((?:(?!  |[\n`#|\\]).)+)", page.read_text(encoding="utf-8")):
        words = line.split()
        if not words[0].isupper():
            yield words


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_and_options_that_a_page_names_are_there(page):
    for words in commands(page):
        command, rest = cli, words
        while isinstance(command, click.Group) and rest and rest[0] != "...":
            command, rest = command.get_command(click.Context(command), rest[0]), rest[1:]
            assert command is not None, f"{page.name}: {' '.join(words)}"
        known = {flag for p in command.params for flag in p.opts}
        unknown = {w.split("=")[0] for w in rest if w.startswith("--")} - known
        assert not unknown, f"{page.name}: {' '.join(words)} has no {unknown}"
