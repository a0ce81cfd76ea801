"""The page about the translator: measures and pictures as they were written when clips were rendered."""

import json
import shutil
import struct
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from harness.ledger.planfile import read_plan, write_plan
from harness.ledger.record import CellInfo
from harness.ledger.store import load_record, load_records, run_dir
from harness.suite.stages import Stage
from reports import build
from reports.views.translator import Rendering, _of_the_same_clips
from tests.helpers.fake_ledger import CLASSES, fake_predictions, fake_record, save
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, parse

ROWS = ["RGB", "brightened RGB", "pseudo-infrared", "infrared"]
RENDERER = Stage(name="pseudo_ir", title="Pseudo-infrared rendering", does=("renders",))


def rendering(work_dir, name, model, measures, clips, translator="", stage="pseudo_ir", prefix="pseudo_ir"):
    info = CellInfo(
        model=name,
        method="M",
        stage=stage,
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="demo",
    )
    record = fake_record(info, {"translator": translator} if translator else {})
    identity = record.identity.model_copy(update={"config": {"model": model}})
    measurements = {f"{prefix}/{k}": v for k, v in measures.items()}
    record = save(
        work_dir, record.model_copy(update={"kind": "render", "identity": identity, "measurements": measurements}), None
    )
    folder = run_dir(work_dir, f"{name}-s0", record.key) / "strips"
    folder.mkdir()
    for clip in clips:
        cv2.imwrite(str(folder / f"{clip}.png"), np.zeros((4 * 10, 8 * 20, 3), np.uint8))
    (folder / "index.json").write_text(json.dumps([{"clip_id": c, "file": f"{c}.png", "rows": ROWS} for c in clips]))
    return record.key


def with_renderers(entries, *names):
    """The entries, and one for each of these names that renders."""
    plain = entries["plain_mgr-dark-rgb"]
    return entries | {n: replace(plain, name=n, method="M", stage="pseudo_ir", role=RENDERER) for n in names}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A trained and a trivial rendering; two seeds of a frozen teacher on the trained one."""
    made = write(tmp_path_factory.mktemp("translator"), seeds=1, tables=["table4"])
    trained = rendering(
        made.work_dir,
        "fake_pseudo",
        {"type": "TrainedTranslator", "pre_enhance": "stretch"},
        {"flicker": 1.25, "ir_correlation": -0.5, "ir_distance": 0.125, "ir_flicker": 0.75},
        ["c1", "c2"],
    )
    trivial = rendering(made.work_dir, "fake_trivial", {"type": "TrivialTranslator", "kind": "inverted"}, {}, ["c1"])
    plan = read_plan(made.work_dir / "plan.json")
    cells = list(plan.cells)
    teacher = next(r.key for _, r in load_records(made.work_dir)[0].values() if r.cell.model == "fake_teacher_mgr_dark")
    for seed, parent in ((0, trained), (1, trained), (0, trivial)):
        name = f"fake_on_{parent[:4]}"
        info = CellInfo(
            model=name,
            method="M",
            stage="teacher",
            dataset="mgr_dark",
            train_modalities=["ir"],
            test_modality="pseudo_ir",
            seed=seed,
            profile="demo",
        )
        record = fake_record(info, {"teacher": teacher, "pseudo_ir": parent}).model_copy(update={"kind": "render"})
        record = save(made.work_dir, record, fake_predictions("mgr_dark", 1.0, seed, name, 2))
        cells.append(cells[0].model_copy(update={"id": name, "model": name, "seed": seed, "key": record.key}))
    write_plan(made.work_dir / "plan.json", plan.model_copy(update={"cells": cells}))
    made.entries = with_renderers(made.entries, "fake_pseudo", "fake_trivial")
    build(made.work_dir, made.site, made.benchmark, made.entries)
    made.keys = {"trained": trained, "teacher": teacher}
    return made


def top1(work_dir, pattern):
    return [json.loads(p.read_text())["metrics"]["top1"] for p in sorted((work_dir / "runs").glob(pattern))]


def test_measures_stand_beside_the_frozen_teachers_accuracy(made):
    page, table = parse(made.site / "translator.html"), "translator_mgr_dark"
    assert cell(page, table, "Trained translator", "ir_correlation").text == "\u22120.500"
    assert cell(page, table, "Trained translator", "flicker").text == "1.250"
    assert cell(page, table, "Inverted luminance", "flicker").text == "– (not measured)"
    own = cell(page, table, "Trained translator", "frozen")
    expected = np.mean(top1(made.work_dir, f"fake_on_{made.keys['trained'][:4]}-s*/run.json"))
    assert float(own.attrs["data-v"]) == pytest.approx(100 * expected) and "n = 2" in own.text
    reference = cell(page, table, "Infrared itself", "frozen")
    assert float(reference.attrs["data-v"]) == pytest.approx(
        100 * top1(made.work_dir, "fake_teacher_mgr_dark-s0-*/run.json")[0]
    )
    assert cell(page, table, "Infrared itself", "flicker").text == "0.750"
    assert len(CLASSES["mgr_dark"]) == 10 and "Synthetic data." in page.text
    assert not any("claimed" in note.text for note in page.all("p", cls="verdict"))  # no paper has such values


def test_pictures_are_rows_of_the_strips_with_every_translators_own(made):
    page = parse(made.site / "translator.html")
    first, second = page.all("figure", cls="strips")
    assert [d.one("span").text for d in first.all("div")] == [
        "RGB",
        "brightened RGB",
        "pseudo-infrared: trained translator",
        "pseudo-infrared: inverted luminance",
        "infrared",
    ]
    assert len(second.all("div")) == 4  # the trivial one kept no strip of this clip
    places = [img.attrs["style"] for img in first.all("img")]
    assert all("aspect-ratio: 16.0000" in p for p in places)
    assert [p.split("0 ")[-1] for p in places] == ["0.000%", "33.333%", "66.667%", "66.667%", "100.000%"]
    for img in page.all("img"):
        assert (made.site / img.attrs["src"]).is_file() and img.attrs["alt"]
    assert "translator.html" in [a.attrs["href"] for a in page.one("nav").all("a")]


@pytest.fixture
def spoiled(made, tmp_path):
    """A ledger of one's own, its strips, and a file outside."""
    work_dir = tmp_path / "work"
    shutil.copytree(made.work_dir, work_dir)
    outside = tmp_path / "private.png"
    cv2.imwrite(str(outside), np.full((40, 160, 3), 200, np.uint8))
    return work_dir, next((work_dir / "runs").glob("fake_pseudo-*/strips")), outside


def leaves_out(made, spoiled, reason):
    """Whether the page is there without the first picture and says why, and nothing from outside was copied."""
    work_dir, _, outside = spoiled
    site = work_dir.parent / "site"
    build(work_dir, site, made.benchmark, made.entries)
    assert (
        reason in cell(parse(site / "translator.html"), "translator_mgr_dark", "Trained translator", "translator").text
    )
    assert not any(path.read_bytes() == outside.read_bytes() for path in site.rglob("*.png"))
    return [image.parent.name + "/" + image.name for image in sorted((site / "images" / "strips").rglob("*.png"))]


@pytest.mark.parametrize("name", ["absolute", "../../../../private.png", "link.png", "gone.png", "", "."])
def test_only_pictures_of_the_run_itself_go_into_the_site(made, spoiled, name):
    work_dir, strips, outside = spoiled
    (strips / "link.png").symlink_to(outside)
    listed = json.loads((strips / "index.json").read_text())
    listed[0]["file"] = str(outside) if name == "absolute" else name
    (strips / "index.json").write_text(json.dumps(listed))
    shown = leaves_out(made, spoiled, "pictures left out: ")
    assert len(shown) == 1 and "c2" in shown[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no picture", "'c1.png' is not a PNG"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 16000, 16000),
            "'c1.png' is 16000 x 16000, more than 20 million",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(8), "'c1.png' is 0 x 0"),
    ],
)
def test_a_picture_that_is_none_or_too_large_is_left_out_and_said(made, spoiled, data, reason):
    (spoiled[1] / "c1.png").write_bytes(data)
    assert len(leaves_out(made, spoiled, reason)) == 1


ODD = ["", "{", '{"a": 1}', '[{"clip_id": "c1"}]', "[" * 100_000, '[{"clip_id": 1, "file": [], "rows": {}}]']


@pytest.mark.parametrize("text", ODD)
def test_an_index_that_cannot_be_read_leaves_the_page(made, spoiled, text):
    (spoiled[1] / "index.json").write_text(text)
    leaves_out(made, spoiled, "pictures left out: strips/index.json cannot be read")


def test_a_method_names_its_stages_itself(tmp_path):
    """The page finds what renders and what was tested on it by what their stages do; pages show declared titles."""
    made = write(tmp_path, seeds=1, tables=["table4"])
    drawing = Stage(name="drawing", title="Pencil & paper", does=("renders",))
    exam = Stage(name="exam", title="Final exam", does=("classifies",))
    plain = made.entries["plain_mgr-dark-rgb"]
    key = rendering(made.work_dir, "mine_drawn", {"type": "Pencil"}, {"flicker": 1.5}, ["c1"], stage="drawing")
    expert = next(r for _, r in load_records(made.work_dir)[0].values() if r.cell.model == "fake_teacher_mgr_dark")
    changes = {"model": "mine_exam", "method": "M", "stage": "exam", "test_modality": "ir"}
    test = fake_record(expert.cell.model_copy(update=changes), {"expert": expert.key, "drawn": key})
    test = test.model_copy(update={"kind": "render"})
    save(made.work_dir, test, fake_predictions("mgr_dark", 1.0, 0, "mine_exam", 2))
    entries = made.entries | {
        role: replace(plain, name=name, method="M", stage=role, role=stage)
        for role, name, stage in (("drawing", "mine_drawn", drawing), ("exam", "mine_exam", exam))
    }
    entries = {e.name: e for e in entries.values()}
    build(made.work_dir, made.site, made.benchmark, entries)
    page = parse(made.site / "translator.html")
    assert cell(page, "translator_mgr_dark", "Pencil", "flicker").text == "1.500"
    assert float(cell(page, "translator_mgr_dark", "Pencil", "frozen").attrs["data-v"]) == pytest.approx(
        100 * top1(made.work_dir, "mine_exam-s0-*/run.json")[0]
    )
    assert float(cell(page, "translator_mgr_dark", "Infrared itself", "frozen").attrs["data-v"]) == pytest.approx(
        100 * expert.metrics.top1
    )
    for file in ("runs.html", "protocol.html", "methods.html", f"runs/mine_drawn-s0-{key[:12]}.html"):
        assert "Pencil & paper" in parse(made.site / file).text, file


def test_the_page_says_what_is_on_it(tmp_path):
    """One translator of a class of one's own: nothing is trained, nothing needs no training, and no method is MTCD."""
    made = write(tmp_path, seeds=1, tables=["table4"])
    rendering(made.work_dir, "mine", {"type": "MyTranslator"}, {"flicker": 1.5}, ["c1"])
    build(made.work_dir, made.site, made.benchmark, with_renderers(made.entries, "mine"))
    page = parse(made.site / "translator.html")
    labels = [d.one("span").text for d in page.one("figure", cls="strips").all("div")]
    assert "pseudo-infrared: MyTranslator" in labels and cell(page, "translator_mgr_dark", "MyTranslator", "flicker")
    main = page.one("main").text
    assert not any(word in main for word in ("MTCD", "learnt nothing", "Trained", "need no training"))


def test_no_page_without_a_rendering(tmp_path):
    plain = write(tmp_path, seeds=1, tables=["table3"])
    build(plain.work_dir, plain.site, plain.benchmark, plain.entries)
    assert not (plain.site / "translator.html").exists()


def test_other_renderings_have_no_place_on_it(tmp_path):
    """Optical flow is a rendering too, and no translator's."""
    made = write(tmp_path, seeds=1, tables=["table3"])
    rendering(made.work_dir, "flow", {"type": "OpticalFlow"}, {"motion": 0.1}, [], prefix="flow")
    build(made.work_dir, made.site, made.benchmark, with_renderers(made.entries, "flow"))
    assert not (made.site / "translator.html").exists()


def test_a_trained_translator_is_called_what_its_metafile_says(tmp_path):
    """Two trained ones on one page: neither is just "the trained one"."""
    made = write(tmp_path, seeds=1, tables=["table4"])
    plain = made.entries["plain_mgr-dark-rgb"]
    names = {"fake_sysu": "SYSU-MM01 alone", "fake_tuned": "Fine-tuned on the target's infrared"}
    entries = made.entries | {n: replace(plain, name=n, metadata={"Translator": label}) for n, label in names.items()}
    entries = with_renderers(entries, *(f"{n}_pseudo" for n in names))
    plan = read_plan(made.work_dir / "plan.json")
    cells = list(plan.cells)
    for name in names:
        info = CellInfo(
            model=name,
            method="M",
            stage="translator",
            dataset="mgr_dark",
            train_modalities=["rgb"],
            test_modality="rgb",
            seed=0,
            profile="demo",
        )
        translator = save(made.work_dir, fake_record(info), None)
        key = rendering(
            made.work_dir, f"{name}_pseudo", {"type": "TrainedTranslator"}, {"flicker": 1.5}, ["c1"], translator.key
        )
        cells.append(cells[0].model_copy(update={"id": f"{name}_pseudo", "model": f"{name}_pseudo", "key": key}))
    write_plan(made.work_dir / "plan.json", plan.model_copy(update={"cells": cells}))
    build(made.work_dir, made.site, made.benchmark, entries)
    page = parse(made.site / "translator.html")
    assert all(cell(page, "translator_mgr_dark", label, "flicker").text == "1.500" for label in names.values())
    labels = [d.one("span").text for d in page.one("figure", cls="strips").all("div")]
    assert {"pseudo-infrared: SYSU-MM01 alone", "pseudo-infrared: fine-tuned on the target's infrared"} <= set(labels)


def test_numbers_of_an_adopted_rendering_are_marked(made, tmp_path):
    work_dir = tmp_path / "work"
    shutil.copytree(made.work_dir, work_dir)
    (folder,) = (work_dir / "runs").glob("fake_pseudo-s0-*")
    save(work_dir, load_record(folder).model_copy(update={"adopted": "equal", "adopted_from": "e" * 64}), None)
    build(work_dir, tmp_path / "site", made.benchmark, made.entries)
    for site, said in ((made.site, False), (tmp_path / "site", True)):
        page = parse(site / "translator.html")

        def is_marked(row, column, page=page):
            return "†" in cell(page, "translator_mgr_dark", row, column).text

        assert is_marked("Trained translator", "flicker") is is_marked("Trained translator", "frozen") is said
        assert is_marked("Infrared itself", "flicker") is said
        assert not is_marked("Infrared itself", "frozen") and not is_marked("Inverted luminance", "frozen")
        assert ("“equal” (fake_pseudo s0)" in page.text) is said


def test_renderings_of_other_clips_are_other_experiments():
    def of(fingerprint, variant):
        record = SimpleNamespace(data=SimpleNamespace(fingerprint=fingerprint), cell=SimpleNamespace(variant=variant))
        return Rendering(fingerprint + variant, "T", record, "", {})

    usual, sysu, darker = of("a", ""), of("a", "sysu"), [of("b", "light-4"), of("c", "light-16")]
    assert _of_the_same_clips([*darker, usual, sysu]) == [usual, sysu]
    assert _of_the_same_clips([*darker, usual]) == [usual]
