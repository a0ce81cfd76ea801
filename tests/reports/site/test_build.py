"""What writing a site does with what it reads."""

import errno
import gc
import importlib
import os
import shutil
import time
import weakref

import pytest

from harness.errors import one_line
from harness.system.disk import DiskFull
from reports import build
from tests.helpers.fake_site import FAKE_STATISTICS, write
from tests.helpers.small_files import files_of_at_most

site_build = importlib.import_module("reports.site.build")


def test_a_ledger_is_read_without_a_search_for_garbage_and_is_gone_without_one(tmp_path, monkeypatch):
    searched, ledgers = [], []
    read, write_pages = site_build.make_ledger, site_build._write

    def noted(*args):
        searched.append(gc.isenabled())
        return read(*args)

    def written(context, *args):
        ledgers.append(weakref.ref(context.ledger))
        write_pages(context, *args)

    monkeypatch.setattr(site_build, "make_ledger", noted)
    monkeypatch.setattr(site_build, "_write", written)
    made = write(tmp_path, seeds=1)
    build(made.work_dir, tmp_path / "site", made.benchmark, made.entries)
    assert searched == [False] and gc.isenabled()
    gc.disable()
    try:
        build(made.work_dir, tmp_path / "site", made.benchmark, made.entries)
        assert [ledger() for ledger in ledgers[1:]] == [None]
    finally:
        gc.enable()


def test_unfinished_pages_of_a_report_that_was_killed_go_after_a_day(tmp_path):
    made = write(tmp_path, seeds=1)
    names = [
        ".pages-abcdefgh.unfinished",
        ".pages-ijklmnop.unfinished",
        ".pages-20260101",
        ".other-abcdefgh.unfinished",
    ]
    for name in names:
        (tmp_path / name / "runs").mkdir(parents=True)
    long_ago = time.time() - site_build.LEFT_SECONDS - 60
    for name in (names[0], *names[2:]):
        os.utime(tmp_path / name, (long_ago, long_ago))
    build(made.work_dir, tmp_path / "pages", made.benchmark, made.entries)
    assert sorted(p.name for p in tmp_path.glob(".*-*")) == sorted(names[1:])


@pytest.mark.parametrize("before", [False, True])
def test_a_disk_without_room_for_the_pages_is_said_of_the_site_and_the_old_pages_stay(tmp_path, monkeypatch, before):
    made, copied = write(tmp_path, seeds=1), []
    (made.work_dir / "contact_sheet_mgr_dark.png").write_bytes(b"fake image")
    if before:
        build(made.work_dir, made.site, made.benchmark, made.entries, [FAKE_STATISTICS])
    old = {p: p.read_bytes() for p in made.site.rglob("*") if p.is_file()}

    def full(source, target):
        copied.append(source)
        raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(DiskFull) as caught:
        build(made.work_dir, made.site, made.benchmark, made.entries, [FAKE_STATISTICS])
    said = str(caught.value)
    assert copied and said.startswith(f"{made.site}: the disk is full") and "contact_sheet" not in said
    assert ("pages from before stay" in said) == before
    assert {p: p.read_bytes() for p in made.site.rglob("*") if p.is_file()} == old
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_page_that_is_too_large_for_the_system_is_named_where_it_would_be(tmp_path, monkeypatch):
    made = write(tmp_path, seeds=1, tables=["figure6"])

    def one_page(context, out, *rest):
        with files_of_at_most(1000):
            site_build._text(out / "table2.html", "x" * 5000)

    monkeypatch.setattr(site_build, "_write", one_page)
    with pytest.raises(OSError, match="too large") as e:
        build(made.work_dir, made.site, made.benchmark, made.entries)
    assert one_line(e.value) == f"{made.site / 'table2.html'}: File too large"
