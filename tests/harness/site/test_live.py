"""Pages that grow while jobs run."""

import logging
import os
import threading
from types import SimpleNamespace

import pytest

from harness.ledger.files import exchange
from harness.ledger.site_manifest import MANIFEST, running_since
from harness.site import live
from harness.site.live import LivePages
from harness.site.pages import write_site
from harness.site.verdicts import rejected_lines, verdict_lines
from harness.system import slow
from tests.helpers.fake_site import write
from tests.helpers.html_tree import parse


@pytest.fixture
def clock(monkeypatch):
    """Time as the pages see it, and the processor time that a writing takes."""

    class Clock:
        now, used = 1000.0, 0.0

        def monotonic(self):
            return self.now

        def thread_time(self):
            self.used += self.cost / 2
            return self.used

        cost = 0.0

    made = Clock()
    monkeypatch.setattr(live, "time", made)
    return made


def settle(pages):
    pages._thread.join()


def test_the_first_pages_are_there_at_once_and_later_ones_are_written_beside_the_jobs(clock):
    wrote, go = [], threading.Event()

    def slow(running):
        wrote.append((running.done, running.running, running.to_come, threading.current_thread().name))
        if len(wrote) > 1:
            assert go.wait(60)

    with LivePages(slow) as pages:
        pages.show(0, 0, (), ("a", "b"))
        assert wrote == [(0, (), ("a", "b"), "pages")]
        clock.now += 31
        pages.show(0, 0, ("a",), ("b",))  # returns although the pages are not written
        clock.now += 31
        pages.show(1, 0, ("b",), ())  # one at a time
        go.set()
        settle(pages)
        pages.show(1, 0, ("b",), ())
        settle(pages)
    assert [w[:3] for w in wrote] == [(0, (), ("a", "b")), (0, ("a",), ("b",)), (1, ("b",), ())]


def test_they_are_written_no_more_often_than_every_30_s_and_only_when_something_changed(clock):
    wrote = []
    with LivePages(wrote.append) as pages:
        pages.show(0, 0, ("a",), ())
        clock.now += 29
        pages.show(1, 0, (), ())
        assert len(wrote) == 1
        clock.now += 2
        pages.show(1, 0, (), ())
        settle(pages)
        assert len(wrote) == 2 and wrote[1].every == 30
        clock.now += 1000
        pages.show(1, 0, (), ())
        settle(pages)
    assert len(wrote) == 2


def test_writing_takes_no_more_than_five_percent_of_the_time(clock):
    clock.cost = 10.0
    wrote = []
    with LivePages(wrote.append) as pages:
        pages.show(0, 0, (), ("a",))
        assert pages.pause == pytest.approx(100)  # half of the cost falls before the writing here: 5 s
        clock.now += 99
        pages.show(1, 0, (), ())
        settle(pages)
        assert len(wrote) == 1
        clock.now += 2
        pages.show(1, 0, (), ())
        settle(pages)
    assert len(wrote) == 2 and wrote[1].every == 100


def test_a_failure_is_one_line_and_ends_nothing(clock, caplog):
    def fail(running):
        raise OSError(28, "No space left on device", "site")

    with caplog.at_level(logging.WARNING), LivePages(fail) as pages:
        for done in range(3):
            clock.now += 31
            pages.show(done, 0, ("a",), ())
            settle(pages)
    assert [r.getMessage() for r in caplog.records] == ["pages not rewritten: site: No space left on device"]


def test_where_the_run_ends_with_an_error_the_pages_say_no_more_that_it_runs(clock):
    wrote = []

    def lose():
        with LivePages(wrote.append) as pages:
            pages.show(0, 0, ("a",), ())
            raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"):
        lose()
    assert wrote[0].running == ("a",) and wrote[1] is None and len(wrote) == 2


def test_where_nothing_was_to_be_run_nothing_is_written(clock):
    wrote = []
    with pytest.raises(ValueError, match="before"), LivePages(wrote.append):
        raise ValueError("before")
    assert wrote == []


@pytest.fixture
def made(tmp_path):
    return write(
        tmp_path, seeds=1, tables=["table2"], missing={("student_mgr-dark-rgb", 0), ("plain_mgr-dark-depth", 0)}
    )


def test_a_running_site_says_what_is_done_runs_and_is_to_come_and_reloads_itself_until_the_last_writing(made):
    def grow(running):
        write_site([made.work_dir], made.site, made.benchmark, made.entries, running=running)

    with LivePages(grow) as pages:
        pages.show(3, 1, ("student_mgr-dark-rgb-s0",), ("plain_mgr-dark-depth-s0",))
        found = [p for p in made.site.rglob("*.html") if p.parent.name != "runs"]  # those of runs stay as they are
        assert len(found) > 5
        for path in found:
            page = parse(path)
            refresh = [m for m in page.all("meta") if m.attrs.get("http-equiv") == "refresh"]
            assert [m.attrs["content"] for m in refresh] == ["30"], path
            said = " ".join(page.one("p", cls="running").text.split())
            assert "3 of 6 jobs are done, 1 failed, 1 is running, 1 to come; a stage that runs" in said
        assert running_since((made.site / MANIFEST).read_text())
        index = parse(made.site / "index.html")
        overview = " ".join(index.text.split())
        assert "Running: student_mgr-dark-rgb-s0" in overview and "plain_mgr-dark-depth-s0" in overview
        assert {"running", "still to come"} <= {" ".join(cell.text.split()) for cell in index.all("td")}
    grow(None)
    assert not running_since((made.site / MANIFEST).read_text())
    for path in made.site.rglob("*.html"):
        text = path.read_text()
        assert 'http-equiv="refresh"' not in text and "Still running" not in text


def test_the_pages_of_a_ledger_are_the_same_bytes_whether_they_grew_or_not(made, tmp_path):
    def content(site):
        return {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}

    with LivePages(lambda r: write_site([made.work_dir], made.site, made.benchmark, made.entries, running=r)) as pages:
        pages.show(0, 0, ("student_mgr-dark-rgb-s0",), ())
    write_site([made.work_dir], made.site, made.benchmark, made.entries)
    write_site([made.work_dir], tmp_path / "other", made.benchmark, made.entries)
    assert content(made.site) == content(tmp_path / "other")


def test_the_old_site_or_the_new_one_is_there_whole_whenever_the_writing_is_interrupted(made, monkeypatch):
    write_site([made.work_dir], made.site, made.benchmark, made.entries)
    before = (made.site / "index.html").read_bytes()

    def interrupted(*args):
        raise KeyboardInterrupt

    for module, name in (("reports.site.build", "write_manifest"), ("reports.site.build", "_swap")):
        with monkeypatch.context() as m:
            m.setattr(f"{module}.{name}", interrupted)
            with pytest.raises(KeyboardInterrupt):
                write_site([made.work_dir], made.site, made.benchmark, made.entries)
        assert (made.site / "index.html").read_bytes() == before
        assert [p.name for p in made.site.parent.glob(".site*")] == []


def test_an_interrupt_between_two_renames_brings_the_old_site_back(made, monkeypatch):
    """Where the system cannot exchange folders in one step."""
    write_site([made.work_dir], made.site, made.benchmark, made.entries)
    rename, calls = os.rename, []
    from pathlib import Path

    def second_is_interrupted(self, target):
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr("reports.site.build.exchange", lambda a, b: False)
    monkeypatch.setattr(Path, "rename", second_is_interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_site([made.work_dir], made.site, made.benchmark, made.entries)
    assert len(calls) == 3 and (made.site / "index.html").is_file()


def test_exchange_gives_two_folders_each_others_place(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "who").write_text(name)
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot")
    assert [(tmp_path / name / "who").read_text() for name in ("a", "b")] == ["b", "a"]
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "none")


def test_a_site_is_never_missing_while_it_is_replaced(made):
    """Read by a loop while it is rewritten: there is an index page at every moment."""
    write_site([made.work_dir], made.site, made.benchmark, made.entries)
    gone, over = [], threading.Event()

    def watch():
        while not over.is_set():
            if not (made.site / "index.html").exists():
                gone.append(1)

    reader = threading.Thread(target=watch)
    reader.start()
    try:
        for _ in range(2):
            write_site([made.work_dir], made.site, made.benchmark, made.entries)
    finally:
        over.set()
        reader.join()
    assert not gone


def test_the_lines_of_a_site_are_those_of_the_tables_that_were_asked_for(made):
    write_site([made.work_dir], made.site, made.benchmark, made.entries)
    lines = verdict_lines(made.site)
    assert len(lines) == 2 and lines[0].startswith("Table 2, RGB: ") and lines[1].startswith("Table 2, Depth: ")
    assert all(line.endswith(".") and "\n" not in line for line in lines)
    assert verdict_lines(made.site, ["table3"]) == []


def test_records_that_are_not_trusted_are_counted_by_ledger(made, tmp_path):
    other = write(tmp_path / "an other", seeds=1, tables=["table2"])
    for name in ("one-s0-aaaaaaaaaaaa", "two-s0-bbbbbbbbbbbb"):
        folder = other.work_dir / "runs" / name
        folder.mkdir()
        (folder / "run.json").write_text("{}")
    work_dirs = [made.work_dir, other.work_dir]
    write_site(work_dirs, made.site, made.benchmark, made.entries)
    (line,) = rejected_lines(made.site, work_dirs)
    assert line == f"2 records rejected: `python -m harness verify --work-dir '{other.work_dir}'` says why"
    write_site([made.work_dir], made.site, made.benchmark, made.entries)
    assert rejected_lines(made.site, [made.work_dir]) == []


def test_a_first_writing_that_takes_long_says_so(monkeypatch):
    said, heard = [], threading.Event()

    def listen(line):
        said.append(line)
        heard.set()

    monkeypatch.setattr(slow, "AFTER_S", 0.0)
    monkeypatch.setattr(live, "log", SimpleNamespace(info=listen, warning=listen))
    with LivePages(lambda running: heard.wait(60)) as pages:
        pages.show(0, 0, ("a",), ("b",))
    assert said[0] == "writing the first pages"
