"""Pages of runs that are taken over from the site that is there, and reports that keep little in memory."""

import hashlib
import json
import os
import shutil
import weakref
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.ledger import store
from harness.ledger.store import load_predictions, load_record
from reports import build
from reports.ledger.running import Running
from reports.ledger.work_dir import read_work_dir
from reports.site.unchanged import Unchanged
from reports.views.runs import page as run_pages
from tests.helpers.fake_ledger import save
from tests.helpers.fake_site import write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("unchanged"), seeds=2, tables=["table2"])


@pytest.fixture
def written(monkeypatch):
    """Names of the runs whose pages are made."""
    names = []
    real = run_pages.run_page
    monkeypatch.setattr(run_pages, "run_page", lambda *args: names.append(args[-1].name) or real(*args))
    return names


def contents(site: Path) -> dict[str, str]:
    return {
        p.relative_to(site).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in site.rglob("*")
        if p.is_file()
    }


def test_results_written_in_parts_are_those_written_at_once(made, tmp_path, monkeypatch):
    build(made.work_dir, tmp_path / "whole", made.benchmark, made.entries)
    monkeypatch.setattr("reports.views.runs.results.AT_ONCE", 3)
    build(made.work_dir, tmp_path / "parts", made.benchmark, made.entries)
    whole, parts = (tmp_path / name / "downloads" for name in ("whole", "parts"))
    assert (parts / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()
    one, many = (pq.ParquetFile(folder / "results.parquet") for folder in (whole, parts))
    assert many.num_row_groups > one.num_row_groups == 1 and many.read().equals(one.read(), check_metadata=True)


def test_after_one_new_run_its_cell_alone_is_written_anew(made, written, tmp_path):
    build(made.work_dir, made.site, made.benchmark, made.entries)
    every = set(written)
    assert every == {p.name for p in (made.work_dir / "runs").iterdir()}
    written.clear()
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert written == []

    folder = next(p for p in (made.work_dir / "runs").iterdir() if p.name.startswith("plain_mgr-dark-rgb-s0-"))
    old = load_record(folder)
    config = {**old.identity.config, "note": "an older one"}
    older = old.model_copy(
        update={
            "identity": old.identity.model_copy(update={"config": config}),
            "finished": "2023-01-01T00:00:00Z",
        }
    )
    save(made.work_dir, older, load_predictions(folder))
    build(made.work_dir, made.site, made.benchmark, made.entries)
    new = {p.name for p in (made.work_dir / "runs").iterdir()} - every
    assert len(new) == 1 and new < set(written) and all(n.startswith("plain_mgr-dark-rgb-s") for n in written)
    build(made.work_dir, tmp_path / "fresh", made.benchmark, made.entries)
    assert contents(made.site) == contents(tmp_path / "fresh")


def test_while_others_run_and_where_they_change_the_stamp_pages_of_runs_stay(tmp_path, written):
    made = write(tmp_path, seeds=1, tables=["table2"])
    folder = next(p for p in (made.work_dir / "runs").iterdir() if p.name.startswith("plain_mgr-dark-depth-s0-"))
    record, predictions = load_record(folder), load_predictions(folder)
    shutil.rmtree(folder)
    running = Running(3, 0, ("plain_mgr-dark-depth-s0",), (), "2024-08-01 10:00 UTC", 30)
    build(made.work_dir, made.site, made.benchmark, made.entries, running=running)
    assert "2024-08-01 10:00 UTC" in (made.site / "runs.html").read_text() and len(written) > 3
    written.clear()
    build(made.work_dir, made.site, made.benchmark, made.entries, running=replace(running, at="2024-08-01 10:01 UTC"))
    assert "2024-08-01 10:01 UTC" in (made.site / "runs.html").read_text() and written == []
    save(made.work_dir, record.model_copy(update={"finished": "2024-08-02T00:00:00Z", "commit": "feed5"}), predictions)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    shown = (made.site / "runs.html").read_text()
    assert "Newest run: 2024-08-02" in shown and "feed5 and 1 other" in shown and "Still running" not in shown
    assert written == [folder.name]
    build(made.work_dir, tmp_path / "fresh", made.benchmark, made.entries)
    assert contents(made.site) == contents(tmp_path / "fresh")


def site_of(root: Path, **files: str) -> Path:
    (root / "runs").mkdir(parents=True)
    sha = {}
    for name, text in {"runs/a.html": "page", "runs/a.csv": "rows", **files}.items():
        (root / name).write_text(text)
        sha[name] = hashlib.sha256(text.encode()).hexdigest()
    made_from = {"runs/a.html": {"digest": "d", "files": ["runs/a.csv"]}}
    (root / ".leaderboard").write_text(json.dumps({"files": sha, "made_from": made_from}))
    return root


@pytest.mark.parametrize("links", [True, False])
def test_a_page_is_taken_with_its_files(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError("no links here")))
    unchanged = Unchanged(site_of(tmp_path / "old"), tmp_path / "new")
    assert not unchanged.take("runs/a.html", "other") and not unchanged.take("runs/b.html", "d")
    assert unchanged.take("runs/a.html", "d") and unchanged.made_from["runs/a.html"]["files"] == ["runs/a.csv"]
    assert (tmp_path / "new/runs/a.html").read_text() == "page" and (tmp_path / "new/runs/a.csv").read_text() == "rows"
    assert (tmp_path / "new/runs/a.html").samefile(tmp_path / "old/runs/a.html") == links


@pytest.mark.parametrize("spoil", ["edited", "gone", "link", "elsewhere", "damaged"])
def test_what_is_not_as_it_was_written_is_not_taken(tmp_path, spoil):
    old = site_of(tmp_path / "old")
    manifest = json.loads((old / ".leaderboard").read_text())
    if spoil == "edited":
        (old / "runs/a.csv").write_text("own rows")
    elif spoil == "gone":
        (old / "runs/a.csv").unlink()
    elif spoil == "link":
        (old / "runs/a.csv").rename(tmp_path / "rows")
        (old / "runs/a.csv").symlink_to(tmp_path / "rows")
    elif spoil == "elsewhere":
        (tmp_path / "secret").write_text("rows")
        manifest["made_from"]["runs/a.html"]["files"] = ["../secret"]
        manifest["files"]["../secret"] = manifest["files"]["runs/a.csv"]
    text = "{" if spoil == "damaged" else json.dumps(manifest)
    (old / ".leaderboard").write_text(text)
    assert not Unchanged(old, tmp_path / "new").take("runs/a.html", "d") and not (tmp_path / "new").exists()


def test_records_for_pages_are_read_one_at_a_time_and_share_their_configs(made, monkeypatch):
    epochs, most = [], []
    real = store.read_record

    def counted(folder):
        found = real(folder)
        epochs.extend(weakref.ref(e) for e in found.epochs)
        most.append(sum(r() is not None for r in epochs))
        return found

    monkeypatch.setattr(store, "read_record", counted)
    records = [r for _, r in read_work_dir(made.work_dir).records.values()]
    assert len(records) > 3 and max(most) <= 2 * 12  # epochs of a record; the next is read while the last has its name
    by_config = {}
    for r in records:
        by_config.setdefault(json.dumps(r.identity.config), []).append(r.identity.config)
    assert any(len(same) > 1 for same in by_config.values())
    assert all(config is same[0] for same in by_config.values() for config in same)
