"""What writing a site does with what it reads."""

import gc
import importlib
import weakref

from reports import build
from tests.helpers.fake_site import write

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
