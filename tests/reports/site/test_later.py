"""Pages of runs written by several processes."""

import gc
import hashlib
import os
import pickle
import time
from functools import partial
from pathlib import Path

import pytest

from harness.system.gc_pause import gc_spared
from harness.system.pool import process_pool
from reports import build
from reports.ledger.privacy import privacy
from reports.page import Page
from reports.site import later
from reports.site.build import Callbacks
from tests.helpers.fake_site import write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("later"), seeds=1, tables=["table2"])


@pytest.fixture
def pools(monkeypatch):
    """Two cores, and pages enough for them; gives how many processes each pool was asked for."""
    asked = []
    monkeypatch.setattr(later, "MANY", 1)
    monkeypatch.setattr(later, "AT_ONCE", 2)
    monkeypatch.setattr(later, "usable_cores", lambda: 2)
    monkeypatch.setattr(later, "process_pool", lambda n, start: asked.append(n) or process_pool(n, start))
    return asked


def contents(site: Path) -> dict[str, str]:
    files = (p for p in site.rglob("*") if p.is_file())
    return {p.relative_to(site).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_several_processes_write_the_pages_that_one_writes(made, pools, tmp_path, monkeypatch):
    seen = []
    build(
        made.work_dir,
        tmp_path / "several",
        made.benchmark,
        made.entries,
        callbacks=Callbacks(progress=lambda *at: seen.append(at)),
    )
    runs = len(list((made.work_dir / "runs").iterdir()))
    assert pools == [2] and seen == [(i, runs) for i in range(1, runs + 1)]
    monkeypatch.setattr(later, "MANY", runs + 1)
    build(made.work_dir, tmp_path / "one", made.benchmark, made.entries)
    assert pools == [2]
    assert contents(tmp_path / "several") == contents(tmp_path / "one")
    del seen[:]
    build(  # takes over what several have written, and says so once
        made.work_dir,
        tmp_path / "several",
        made.benchmark,
        made.entries,
        callbacks=Callbacks(progress=lambda *at: seen.append(at)),
    )
    assert seen == [(runs, runs)]
    assert contents(tmp_path / "several") == contents(tmp_path / "one")


def test_what_a_process_finds_wrong_is_the_line_that_one_process_says(made, pools, tmp_path):
    def run_anew(_):
        record = next((made.work_dir / "runs").iterdir()) / "run.json"
        text = record.read_text()
        record.write_text(text.replace('"seal": "', '"seal": "0'))

    kept = {p: p.read_text() for p in (made.work_dir / "runs").glob("*/run.json")}
    try:
        with pytest.raises(ValueError, match="was run anew while its page was written; write the pages again"):
            build(made.work_dir, tmp_path / "site", made.benchmark, made.entries, callbacks=Callbacks(draw=run_anew))
    finally:
        for path, text in kept.items():
            path.write_text(text)
    assert pools == [2] and list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_is_one_line(tmp_path):
    page = Page("runs/a.html", "run.html.j2", {}, later=partial(os._exit, 9))
    said = f"{tmp_path}: a process that wrote pages of runs was killed, .*; report again"
    with (
        pytest.raises(ValueError, match=said),
        later._written(later.Writer(tmp_path, {}), [(page, {})], 2) as written,
    ):
        list(written)


def test_several_processes_begin_while_other_pages_are_written(tmp_path):
    page = Page("runs/a.html", "run.html.j2", {}, later=partial(os.mkdir, tmp_path / "begun"))
    with later._written(later.Writer(tmp_path, {}), [(page, {})], 2) as written:
        while not (tmp_path / "begun").exists():  # nothing was asked of ``written`` yet
            time.sleep(0.01)
        with pytest.raises(TypeError, match="NoneType"):  # what mkdir gives is no page
            list(written)


def test_privacy_goes_to_a_process_without_what_it_remembers():
    own = privacy([Path("/srv/work")], ["/home/maria/x"])
    own.all({"command": "run /srv/work/a as maria"})
    sent = pickle.loads(pickle.dumps(own))  # noqa: S301  its own
    assert sent == own and own._texts and not sent._texts
    assert sent.text("run /srv/work/a as maria") == "run a as …"


def test_what_is_spared_stays_spared_until_the_outermost_ends():
    with gc_spared():
        with gc_spared():
            pass
        assert gc.get_freeze_count()
    assert not gc.get_freeze_count()
