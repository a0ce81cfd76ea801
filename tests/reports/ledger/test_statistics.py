"""The data page shows statistics of the clips that its runs read, and of no others."""

import pytest

from reports import build
from tests.helpers.fake_site import FAKE_STATISTICS, write
from tests.helpers.html_tree import cell, parse


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
    build(made.work_dir, made.site, made.benchmark, made.entries, {"mgr_dark": about})
    page = parse(made.site / "data.html")
    if shown:
        assert cell(page, "data", "MGR-Dark", "clips").text == "1,234"
    else:
        assert not page.all("table", **{"data-table": "data"}) and "1,234" not in page.text
    assert ("last measured on other clips" in page.text) != shown
    assert (made.site / "images").exists() == shown
