"""Pictures of the hardest clips on the pages of runs: of the right clips, of the data that the run saw, and safe."""

import hashlib

import cv2
import numpy as np
import pytest

from harness.ledger.clip_pictures import Drawn, picture_folder, save_picture, write_index
from harness.ledger.store import load_predictions, load_record
from reports import build
from reports.site.build import Callbacks
from tests.helpers.fake_site import FAKE_STATISTICS, write
from tests.helpers.html_tree import parse


@pytest.fixture
def made(tmp_path):
    return write(tmp_path, seeds=1, tables=["table2"])


def folder_of(made, name):
    return next((made.work_dir / "runs").glob(f"{name}-s0-*"))


def hardest(folder, most=10):
    """Clips by what is lacking to the true class, by its definition, for those that another class wins."""
    lacking = {}
    for row in load_predictions(folder).itertuples():
        others = np.delete(row.scores, row.label)
        lacking[row.clip_id] = float(row.scores[row.label]) - float(others.max())
    return [c for c in sorted(lacking, key=lacking.get) if lacking[c] < 0][:most]


def picture(folder, level, brightened=False):
    content = cv2.imencode(".jpg", np.full((36, 120, 3), level, np.uint8))[1].tobytes()
    return save_picture(folder, content, 120, 36, brightened)


def pictures(made, run, clips, fingerprint=None):
    """Pictures of these clips in the work dir: two each, as of dark colour."""
    record = load_record(run)
    place = picture_folder(made.work_dir, record.cell.dataset, fingerprint or record.identity.data["test"])
    drawn = {c: [picture(place, 10 + i), picture(place, 110 + i, True)] for i, c in enumerate(clips)}
    write_index(place, {c: {"rgb": Drawn(pictures=p)} for c, p in drawn.items()})
    return place, drawn


def page_of(made, run, **kw):
    build(made.work_dir, made.site, made.benchmark, made.entries, **kw)
    return parse(made.site / "runs" / f"{run.name}.html")


def rows(page):
    """Clip -> the images in its row of the hardest clips."""
    table = page.one("section", **{"aria-label": "Hardest clips, listed"}).one("tbody")
    return {tr.one("th").text: tr.all("img") for tr in table.all("tr")}


def test_each_of_the_hardest_clips_has_its_own_pictures(made):
    run = folder_of(made, "plain_mgr-dark-rgb")
    clips = hardest(run)
    _, drawn = pictures(made, run, clips)
    page = page_of(made, run)
    shown = rows(page)
    assert list(shown) == clips and len(clips) > 3
    for clip, images in shown.items():
        assert len(images) == 2 and all(i.attrs["alt"].startswith(f"Moments of {clip}: RGB") for i in images)
        assert "brightened" in images[1].attrs["alt"] and "brightened" not in images[0].attrs["alt"]
        for image, made_of in zip(images, drawn[clip], strict=True):
            content = (made.site / "runs" / image.attrs["src"]).resolve().read_bytes()
            assert f"{hashlib.sha256(content).hexdigest()}.jpg" == made_of.file
            assert (image.attrs["width"], image.attrs["height"]) == ("120", "36")
    assert "brightened, all four with one gain" in page.text
    assert len(list(made.site.rglob("*.jpg"))) == 2 * len(clips)
    assert page_of(made, folder_of(made, "student_mgr-dark-rgb")).all("img"), "another run on the same clips"


def test_it_is_asked_for_the_hardest_clips_of_runs_on_tables_as_what_they_predict_from(made):
    asked = []
    build(made.work_dir, made.site, made.benchmark, made.entries, callbacks=Callbacks(draw=asked.append))
    (wanted,) = asked
    on_tables = [p for p in (made.work_dir / "runs").iterdir() if not p.name.startswith("fake_")]
    expected = {}
    for folder in on_tables:
        record = load_record(folder)
        if record.metrics is not None:
            split = expected.setdefault((record.cell.dataset, record.identity.data["test"]), set())
            split |= {(c, m) for c in hardest(folder) for m in record.cell.test_modality.split("+")}
    assert wanted == expected and {m for clips in wanted.values() for _, m in clips} >= {"rgb", "depth"}


def test_pictures_of_other_data_change_no_page(made):
    run = folder_of(made, "plain_mgr-dark-rgb")
    page_of(made, run)
    before = (made.site / "runs" / f"{run.name}.html").read_bytes()
    pictures(made, run, hardest(run), fingerprint="e" * 64)
    page_of(made, run)
    assert (made.site / "runs" / f"{run.name}.html").read_bytes() == before
    assert b"Moments" not in before and not list(made.site.rglob("*.jpg"))


def test_a_page_follows_its_pictures(made, tmp_path):
    run = folder_of(made, "plain_mgr-dark-rgb")
    assert not page_of(made, run).all("img")
    place, _ = pictures(made, run, hardest(run))
    assert page_of(made, run).all("img")
    build(made.work_dir, tmp_path / "fresh", made.benchmark, made.entries)
    name = f"runs/{run.name}.html"
    assert (made.site / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()
    (place / "index.json").unlink()
    assert not page_of(made, run).all("img") and not list(made.site.rglob("*.jpg"))


def test_what_cannot_be_read_is_a_line_and_what_was_edited_is_not_shown(made):
    run = folder_of(made, "plain_mgr-dark-rgb")
    first, second, *_ = hardest(run)
    place, drawn = pictures(made, run, [first, second])
    (place / drawn[second][0].file).write_bytes(b"\xff\xd8\xffanother picture")
    drawn = {first: Drawn(problem="/home/alice/x.mp4: <b>broken"), second: Drawn(pictures=drawn[second])}
    write_index(place, {c: {"rgb": d} for c, d in drawn.items()})
    page = page_of(made, run)
    assert "RGB: x.mp4: <b>broken" in page.text
    assert [len(images) for images in rows(page).values()][:2] == [0, 1]


def test_a_data_set_may_be_left_without_pictures(made):
    run = folder_of(made, "plain_mgr-dark-rgb")
    pictures(made, run, hardest(run))
    (made.work_dir / "contact_sheet_mgr_dark.png").write_bytes(b"fake")
    declared = made.benchmark.datasets["mgr_dark"].model_copy(update={"pictures": False})
    made.benchmark = made.benchmark.model_copy(update={"datasets": made.benchmark.datasets | {"mgr_dark": declared}})
    asked = []
    page = page_of(made, run, statistics=[FAKE_STATISTICS], callbacks=Callbacks(draw=asked.append))
    assert not page.all("img") and "Moments" not in page.text
    assert not any(clips for (dataset, _), clips in asked[0].items() if dataset == "mgr_dark")
    assert not list(made.site.rglob("*.jpg")) and not (made.site / "images").exists()
