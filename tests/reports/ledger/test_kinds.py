"""A site of synthetic and of recorded clips says of each number, and first on each page, which they are."""

from dataclasses import replace

import pytest

from harness.site.verdicts import verdict_lines
from harness.suite.benchmark import Published
from reports import build
from tests.helpers.fake_site import write
from tests.helpers.html_tree import grid, parse
from tests.helpers.own_run import OWN, save_own_run

GENERATED, BOTH = "The numbers measured here come from generated videos", "Synthetic and real data"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A ledger of synthetic data, and one of recordings of others with a method that the benchmark does not have."""
    folder = tmp_path_factory.mktemp("kinds")
    made = write(folder, seeds=1, tables=["table2", "table4"])
    published = made.benchmark.datasets["mgr_dark"].model_copy(update={"published": Published(classes=10, subjects=21)})
    made.benchmark.datasets["mgr_dark"] = published
    entry = replace(made.entries["plain_mgr-dark-rgb"], name=OWN, method="own", title="Own")
    made.other = folder / "lab" / "work_dirs"
    save_own_run(made.other, entry.stage)
    made.own = {OWN: entry}
    return made


def site(lab, tmp_path, entries):
    build([lab.work_dir, lab.other], tmp_path / "site", lab.benchmark, {**lab.entries, **entries})
    return tmp_path / "site"


def words(path) -> str:
    return " ".join(parse(path).text.split())


def page_of(site, name):
    return words(next((site / "runs").glob(f"{name}-s0*.html")))


def test_a_run_whose_method_has_no_config_is_named_and_its_page_is_true(lab, tmp_path):
    made = site(lab, tmp_path, {})
    own, table = page_of(made, OWN), words(made / "table2.html")
    assert GENERATED not in own and BOTH not in own and "are not MGR-Dark (10, 21)" in own
    assert "Synthetic data, stages included none" in own and "Data clips in the layout of MGR-Dark, dark" in own
    assert "as a stage" not in own
    first = words(made / "index.html")
    assert "1 more run is of methods that have no config here." in first
    assert GENERATED in table and "on clips in the layout" not in table
    assert f"{OWN} has runs here and no config" in table and "claimed" in table
    assert any(OWN in line and "--configs" in line for line in verdict_lines(made))
    assert any(OWN in line for line in verdict_lines(made, ["table2"])) and not verdict_lines(made, ["table3"])
    assert GENERATED in page_of(made, "plain_mgr-dark-rgb") and BOTH in words(made / "runs.html")


def test_numbers_of_both_kinds_in_one_table_say_which_they_are(lab, tmp_path):
    made = site(lab, tmp_path, lab.own)
    rows = (made / "downloads" / "table2.md").read_text().splitlines()
    own, plain = (next(row for row in rows if row.startswith(f"| {name}")) for name in ("Own", "Plain"))
    assert "on clips in the layout of MGR-Dark" in own and "synthetic" not in own
    assert "on synthetic clips" in plain and "in the layout" not in plain
    assert BOTH in words(made / "table2.html") and BOTH in words(made / "index.html")
    assert GENERATED in words(made / "table4.html")  # which has none of the recorded ones
    assert "has runs here" not in words(made / "table2.html")
    assert not any(OWN in line for line in verdict_lines(made) if "--configs" in line)


def test_each_kind_of_clips_is_ranked_and_drawn_alone(lab, tmp_path):
    made = site(lab, tmp_path, lab.own)
    headings = ["Measured, on synthetic clips, best first on RGB"]
    headings.append("Measured, on clips in the layout of MGR-Dark, best first on RGB")
    table = (made / "table2.html").read_text()
    assert all(h in table for h in headings) and "Measured, best first" not in table
    (card,) = (c for c in parse(made / "index.html").all("article") if c.text.startswith("Table 2"))
    blocks = {t.one("caption").text.split(": measured")[0]: t for t in card.all("table")}
    (own,) = (t for title, t in blocks.items() if title.endswith("RGB, clips in the layout of MGR-Dark"))
    assert [th.text for th in own.all("th")] == ["Own"]
    assert not any("Own" in t.text for title, t in blocks.items() if title.endswith("synthetic clips"))
    said = {line.split(":")[0]: line for line in verdict_lines(made) if line.startswith("Table 2, RGB")}
    assert "Own has" in said["Table 2, RGB, clips in the layout of MGR-Dark"]
    assert (
        "Own" not in said["Table 2, RGB, synthetic clips"]
        and "other clips" not in said["Table 2, RGB, synthetic clips"]
    )
    drawn = parse(made / "cost.html")
    names = {
        i: [row[0].text for row in grid(drawn, i)[1]] for i in ("cost_table2_rgb_synthetic", "cost_table2_rgb_recorded")
    }
    assert names["cost_table2_rgb_recorded"] == ["Own"] and "Own" not in names["cost_table2_rgb_synthetic"]
    assert "Accuracies are of clips in the layout of MGR-Dark." in drawn.text
    notes = [n.text.split(" · ")[0] for n in drawn.all("p", cls="quiet") if "profile" in n.text]
    assert set(notes) == {"MGR-Dark (synthetic)", "clips in the layout of MGR-Dark"}


def test_how_trainings_vary_on_recordings_changes_no_interval_on_synthetic_clips(lab, tmp_path):
    alone = tmp_path / "alone"
    build(lab.work_dir, alone, lab.benchmark, lab.entries)
    for entries in ({}, lab.own):
        both = site(lab, tmp_path / str(len(entries)), entries)
        assert (
            page_of(both, "plain_mgr-dark-rgb").split("top-1 accuracy")[1][:60]
            == page_of(alone, "plain_mgr-dark-rgb").split("top-1 accuracy")[1][:60]
        )
