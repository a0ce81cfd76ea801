"""The data page shows statistics of the clips that its runs read, each set of them once, and of no others."""

from types import SimpleNamespace

import pytest

from harness.suite.benchmark import Published
from reports import build
from reports.ledger.clip_sets import clip_sets
from tests.helpers.fake_site import FAKE_STATISTICS, write
from tests.helpers.html_tree import cell, grid, parse
from tests.helpers.own_run import save_own_run


@pytest.mark.parametrize(
    ("measured", "synthetic", "shown"),
    [
        ({"synthetic": True, "profile": "demo"}, True, True),
        ({"synthetic": True}, True, True),  # as an earlier version wrote it
        ({"synthetic": True, "profile": "smoke"}, True, False),  # built-in clips are others at each profile
        ({"synthetic": True, "profile": "demo"}, False, False),
        ({"synthetic": False, "profile": "paper"}, True, False),
        ({"synthetic": False, "profile": "paper"}, False, True),  # the clips of a user's are the same
    ],
)
def test_statistics_of_other_clips_are_not_those_of_the_data_at_hand(tmp_path, measured, synthetic, shown):
    made = write(tmp_path, seeds=1, tables=["table2"], synthetic=synthetic)
    about = {k: v for k, v in FAKE_STATISTICS["mgr_dark"].items() if k != "synthetic"} | measured
    (made.work_dir / "contact_sheet_mgr_dark.png").write_bytes(b"fake image")
    build(made.work_dir, made.site, made.benchmark, made.entries, [{"mgr_dark": about}])
    page = parse(made.site / "data.html")
    if shown:
        assert cell(page, "data", "MGR-Dark", "clips").text == "1,234"
    else:
        assert not page.all("table", **{"data-table": "data"}) and "1,234" not in page.text
    assert ("last measured on other clips" in page.text) != shown
    assert (made.site / "images").exists() == shown


OWN = {
    **FAKE_STATISTICS["mgr_dark"],
    **{"synthetic": False, "generator_version": "", "classes": ["wave"], "clips": 54, "subjects": 6, "left_out": []},
    "rgb": {"dark": {"mean": 0.087, "std": 0.134}},
}
MADE = {**FAKE_STATISTICS["mgr_dark"], "profile": "demo"}


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A ledger of synthetic clips, and another folder with runs of recorded ones that hold no config."""
    made = write(tmp_path_factory.mktemp("two"), seeds=1, tables=["table2"])
    declared = made.benchmark.datasets["mgr_dark"]
    made.benchmark.datasets["mgr_dark"] = declared.model_copy(update={"published": Published(classes=10, subjects=21)})
    made.others = [made.work_dir.parent / name / "work_dirs" for name in ("alice", "bob", "carol")]
    for other in made.others:
        save_own_run(other, made.entries["plain_mgr-dark-rgb"].stage)
        (other / "contact_sheet_mgr_dark.png").write_bytes(f"image of {other}".encode())
    (made.work_dir / "contact_sheet_mgr_dark.png").write_bytes(b"fake image")
    return made


def shown(made, *ledgers):
    """Rows of the data page, the pictures of its sets, and the page."""
    site = made.site.with_name("-".join(place.parent.name for place, _ in ledgers))
    places, told = [p for p, _ in ledgers], [{"mgr_dark": about} if about else {} for _, about in ledgers]
    build(places, site, made.benchmark, made.entries, told)
    page = parse(site / "data.html")
    rows = [[" ".join(c.text.split()) for c in cells[:3]] for cells in grid(page, "data")[1]]
    return rows, [img.attrs["src"] for img in page.all("img")], page, parse(site / "index.html")


def test_sets_of_several_ledgers_stand_side_by_side_and_one_of_several_ledgers_once(two):
    alice, bob, _ = two.others
    same = {**OWN, "stamp": "of another disk", "profile": "smoke", "left_out": ["/other/place"]}
    rows, images, page, first = shown(two, (alice, OWN), (two.work_dir, MADE), (bob, same))
    assert rows == [["clips in the layout of MGR-Dark", "1", "54"], ["MGR-Dark synthetic", "2", "1,234"]]
    assert images == ["images/contact_sheet_mgr_dark.png", "images/contact_sheet_mgr_dark-2.png"]
    assert [i.attrs["src"] for i in first.all("img")] == images
    assert "Synthetic and real data" in page.text and "What is marked synthetic is real video files" in page.text
    bars = next(s.one("desc").text for s in page.all("svg") if "colour frames" in s.one("title").text)
    assert "clips in the layout of MGR-Dark (dark) 0.087" in bars and "MGR-Dark (synthetic, dark) 0.042" in bars


def test_other_sets_of_one_kind_are_told_apart_by_their_ledgers(two):
    alice, bob, carol = two.others
    rows, *_ = shown(two, (alice, OWN), (bob, {**OWN, "clips": 55}), (carol, OWN))
    own = {row[0] for row in rows if row[2] in ("54", "55")}
    assert len(own) == 2 and all(name.startswith("clips in the layout of MGR-Dark, ") for name in own)


def test_clips_that_were_read_and_not_measured_are_a_row(two):
    rows, images, page, _ = shown(two, (two.others[0], None), (two.work_dir, MADE))
    assert [row[0] for row in rows] == ["MGR-Dark synthetic", "clips in the layout of MGR-Dark"]
    assert len(images) == 1 and "Not measured." in page.text


def test_a_generated_set_of_which_another_ledger_has_more_is_one(two):
    part = {**MADE, "clips": 617, "clips_per_lighting": {"dark": 617}, "rgb": {"dark": MADE["rgb"]["dark"]}}
    other = {**part, "rgb": {"dark": {"mean": 0.2, "std": 0.1}}}
    found = {"a": part, "b": MADE, "c": other}
    ledger = SimpleNamespace(work_dirs=[two.work_dir] * 3, names=list(found), runs=[], shown_records=[], profile="demo")
    sets = clip_sets([{"mgr_dark": about} for about in found.values()], ledger)["mgr_dark"]
    assert [(s.ledger, s.about["clips"]) for s in sets] == [("b", 1234), ("c", 617)]


def test_sizes_and_rates_that_differ_are_told_on_the_page_and_in_its_downloads(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table2"])
    about = FAKE_STATISTICS["mgr_dark"] | {
        "other_resolution": {"rgb": {"108 x 192": 3}},
        "other_fps": {"rgb": {"15": 1, "29.97": 3, "24": 2, "12": 2, "10": 1}},
        "probed": 200,
    }
    build(made.work_dir, made.site, made.benchmark, made.entries, [{"mgr_dark": about}])
    page = parse(made.site / "data.html")
    said = "192 × 108 (3 clips 108 × 192)"
    assert cell(page, "data", "MGR-Dark", "rgb").text == said
    assert said in (made.site / "downloads" / "data.csv").read_text(encoding="utf-8")
    text = " ".join(page.text.split())
    assert "RGB 25 (1 clip 15, 3 clips 29.97, 2 clips 24, 3 clips other), IR 12.5" in text
    assert "200 clips of each modality" in text
