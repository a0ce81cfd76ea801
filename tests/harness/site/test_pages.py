"""What is wrong with what pages are made from is said once, however often they are written."""

import json
import logging

from harness.ledger.run_dir import STATISTICS
from harness.site.pages import write_site


def test_edited_statistics_are_said_once_and_not_handed_on(tmp_path, monkeypatch, caplog):
    about = {"mgr_dark": {"name": "MGR-Dark", "clips": 99999, "seal": "0" * 64}}
    (tmp_path / STATISTICS).write_text(json.dumps(about))
    handed = []
    monkeypatch.setattr("reports.site.build.build", lambda *given: handed.append(given[4]))
    with caplog.at_level(logging.WARNING, logger="harness"):
        for _ in range(2):
            write_site([tmp_path], tmp_path / "site", None, {})
    assert handed == [[{}], [{}]]
    assert [r.getMessage().partition(": ")[2][:29] for r in caplog.records] == ["mgr_dark: edited since it was"]
