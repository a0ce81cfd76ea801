"""A site of a made-up ledger: three seeds, failures, gaps, parents."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

# tests/reports and tests/harness would pass for namespace packages of these names where only an editable install knows
# better
sys.path.insert(0, str(Path(__file__).parents[2]))

import pytest

from harness.ledger.record import Failure
from reports import build
from tests.helpers.browser import CHROMIUM, Browser
from tests.helpers.fake_site import FAKE_STATISTICS, write

FAILURES = {
    ("broken_mgr-dark-rgb", 0): Failure(
        kind="out_of_memory", message="fake: 9 GiB <b>needed</b>", log_tail=["last <line>"]
    ),
    ("broken_mgr-dark-rgb", 1): Failure(kind="nan_loss", message="fake: loss is not a number"),
    ("broken_mgr-dark-rgb", 2): Failure(kind="nan_loss", message="fake: loss is not a number"),
    ("plain_mgr-dark-depth", 1): Failure(kind="killed", message="fake: killed by signal 9"),
}
MISSING = {("hostile_nvgesture-depth", s) for s in range(3)} | {("student_mgr-dark-rgb+alpha=1.5", s) for s in range(3)}
ERRORS = {("student_mgr-dark-rgb+half", s): "fake: unknown key model.alhpa" for s in range(3)}


@pytest.fixture(scope="session")
def fake(tmp_path_factory) -> SimpleNamespace:
    """``work_dir``, ``benchmark``, ``entries``, ``site`` and the ``paths`` that ``build`` returned."""
    made = write(tmp_path_factory.mktemp("fake"), failed=FAILURES, missing=MISSING, errors=ERRORS)
    made.statistics = FAKE_STATISTICS
    (made.work_dir / "contact_sheet_mgr_dark.png").write_bytes(b"fake image")
    made.paths = build(made.work_dir, made.site, made.benchmark, made.entries, [made.statistics])
    return made


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def browse(browser, fake):
    """``Browser.browse`` on the pages of ``fake``: page, body, fragment, width, script."""

    def browse(page: str, body: str, fragment: str = "", **given):
        return browser.browse((fake.site / page).as_uri() + fragment, body, **given)

    return browse
