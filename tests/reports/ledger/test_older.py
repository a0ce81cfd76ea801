"""A run of an older config is shown while the present one has no number: pages say of both what they are."""

import json
from types import SimpleNamespace

import pytest

from harness.ledger.planfile import read_plan, write_plan
from harness.ledger.record import Failure
from harness.ledger.store import load_record, run_dir
from reports import build
from reports.views.runs.run import OLDER
from tests.helpers.fake_ledger import save
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, grid, parse

PLAIN = "plain_mgr-dark-rgb"
MADE_UP = "f" * 64
ENDS = ("failed", "missing", "blocked", "unplanned", "rejected")
SAID = {
    "failed": ("failed", "crash: fake: no head"),
    "missing": ("not run", "no run in the ledger yet"),
    "blocked": ("not run", "fake: its teacher failed"),
    "unplanned": ("could not be planned", "fake: no such class"),
    "rejected": ("record rejected", "not a run record"),
}


def plain(made):
    """Folders of the cell's runs."""
    return sorted((made.work_dir / "runs").glob(f"{PLAIN}-s0-*"))


def failed_under_another_config(made):
    """The present run of the cell: its config was changed, and it ended in a crash. Returns its key."""
    record = load_record(plain(made)[0])
    config = {**record.identity.config, "note": "changed"}
    update = {
        "identity": record.identity.model_copy(update={"config": config}),
        "finished": "2030-01-01T00:00:00Z",
        "metrics": None,
        "predictions_sha256": "",
        "status": "failed",
        "failure": Failure(kind="crash", message="fake: no head"),
        "epochs": [],
    }
    return save(made.work_dir, record.model_copy(update=update), None).key


def plan_for(made, **update):
    """The last plan asks for other runs of the cell."""
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    cells = [c.model_copy(update=update) if c.id == PLAIN else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))


def changed(made, end):
    """The state of a ledger in which the config of a cell was changed after it was run."""
    key = MADE_UP if end != "unplanned" else ""
    if end == "failed":
        key = failed_under_another_config(made)
    if end == "rejected":
        folder = run_dir(made.work_dir, f"{PLAIN}-s0", MADE_UP)
        folder.mkdir()
        (folder / "run.json").write_text("{}")
    plan_for(made, key=key, error=SAID[end][1] if end in ("blocked", "unplanned") else "")
    return key


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """By how the present run ended, and before the config was changed."""
    found = {}
    for end in ("", *ENDS):
        made = write(tmp_path_factory.mktemp(end or "before"), seeds=1, tables=["table2"])
        (old,) = plain(made)
        (old / "log.txt").write_text("its log\n")
        key = changed(made, end) if end else ""
        build(made.work_dir, made.site, made.benchmark, made.entries)
        found[end] = SimpleNamespace(**vars(made), old=old.name, key=key)
    return found


@pytest.mark.parametrize("end", ENDS)
def test_the_first_page_counts_what_became_of_the_present_run(sites, end):
    before, after = (parse(sites[e].site / "index.html") for e in ("", end))
    tally, was = (
        dict(li.text.split(maxsplit=1)[::-1] for li in p.one("ul", cls="tally").all("li")) for p in (after, before)
    )
    state = "blocked by a failure" if end == "blocked" else SAID[end][0]
    assert int(tally["done"]) == int(was["done"]) - 1 and tally[state] == "1"
    asked = was["done"]
    assert f"ask for {asked} runs; {tally['done']} are done" in after.text.replace("\u202f", " ")
    (line,) = (tr.text for tr in after.all("tr") if PLAIN in tr.text)
    assert SAID[end][0] in line and SAID[end][1] in line and "table2" in line
    assert (
        "every run that was planned is done" not in after.text and "every run that was planned is done" in before.text
    )
    assert "listed and not counted" not in after.text, "what the plan asks for is not older"


@pytest.mark.parametrize("end", ENDS)
def test_the_table_shows_the_older_number_all_the_same(sites, end):
    before, after = (cell(parse(sites[e].site / "table2.html"), "table2", "Plain", "rgb.top1") for e in ("", end))
    assert (
        before.attrs["data-v"] == after.attrs["data-v"] and "last plan" in after.text and "last plan" not in before.text
    )


@pytest.mark.parametrize("end", ENDS)
def test_leaderboard_json_says_what_became_of_the_present_run(sites, end):
    runs = json.loads((sites[end].site / "leaderboard.json").read_text())["runs"]
    (line,) = (r for r in runs if "present" in r)
    assert line["cell"] == PLAIN and line["status"] == "done" and line["metrics"]
    assert line["present"]["status"] == end and SAID[end][1] in line["present"]["reason"]
    assert line["present"]["key"] == sites[end].key and line["key"] != line["present"]["key"]


def test_the_run_that_the_plan_asks_for_is_not_called_older(sites):
    made = sites["failed"]
    rows = {r[0].text: r for r in grid(parse(made.site / "runs.html"), "runs")[1] if PLAIN in r[0].text}
    states = {made.key[:12] in name: " ".join(c.text for c in row) for name, row in rows.items()}
    assert OLDER in states[False] and OLDER not in states[True]
    lines = (made.site / "downloads" / "results.csv").read_text().splitlines()
    assert all((OLDER in line) == (made.old in line) for line in lines if PLAIN in line)
    present = parse(next((made.site / "runs").glob(f"*{made.key[:12]}.html")))
    assert "older config" not in present.one("section", cls="failure").text + present.text.split("Used by")[0]
    assert "Table 2" in present.text.split("Used by")[1].split("Further runs")[0]


def test_runs_of_one_seed_are_told_apart_by_their_keys(sites):
    made = sites["failed"]
    page = parse(made.site / "runs" / f"{made.old}.html")
    assert f"seed 0 {made.key[:12]} failed" in page.text


def test_the_older_run_that_a_table_shows_keeps_its_downloads(sites):
    made = sites["failed"]
    page = made.site / "runs" / f"{made.old}.html"
    assert page.with_suffix(".csv").is_file() and page.with_suffix(".log.txt").read_text().strip() == "its log"
    assert "No table shows this run" not in parse(page).text


def test_an_older_number_is_marked_and_has_a_foot_note_wherever_it_stands(sites):
    before, made = sites[""], sites["failed"]
    tex = (made.site / "downloads" / "table2.tex").read_text()
    (row,) = (line for line in tex.splitlines() if line.strip().startswith("Plain &"))
    assert row.count(r"$^\ddagger$") == 1, "its number with RGB, and not that with depth"
    (note,) = (line for line in tex.splitlines() if "footnotesize" in line)
    assert r"$^\ddagger$ of an older config" in note and r"plain\_mgr-dark-rgb (failed)" in note
    page = parse(made.site / "table2.html")
    assert "‡ (older)" in cell(page, "table2", "Plain", "rgb.top1").text
    assert "‡" not in cell(page, "table2", "Student", "rgb.top1").text
    (card,) = (c for c in parse(made.site / "index.html").all("article") if c.text.startswith("Table 2"))
    shown = {tr.one("th").text: "‡" in tr.text for tr in card.all("tbody")[0].all("tr")}
    assert shown["Plain"] and not shown["Student"]
    assert "Plain‡" in parse(made.site / "compare.html").text
    for name in ("index.html", "table2.html", "compare.html", "downloads/table2.tex", "leaderboard.json"):
        text = (before.site / name).read_text()
        assert "‡" not in text and "ddagger" not in text, name


def test_sentences_say_how_many_of_their_numbers_are_older(sites):
    def line(made):
        verdicts = json.loads((made.site / "leaderboard.json").read_text())["verdicts"]
        return {v["column"]: v["line"] for v in verdicts}

    said, before = line(sites["missing"]), line(sites[""])
    assert "(‡) of an older config, code or data)." in said["RGB"] and "1 of " in said["RGB"].split("newest run")[1]
    assert "older" not in said["Depth"] + "".join(before.values())
