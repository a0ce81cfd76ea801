"""The page that compares methods: what stands in it against the records, and what its script makes of it."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from reports.ledger.context import ReportContext
from reports.ledger.ledger import make_ledger
from reports.ledger.work_dir import read_work_dir
from reports.tables import head_to_head
from reports.tables.head_to_head import differing, flat
from reports.views import compare
from tests.helpers.html_tree import cell, parse


@pytest.fixture(scope="module")
def page(fake):
    return parse(fake.site / "compare.html")


@pytest.fixture(scope="module")
def data(page):
    return json.loads(page.one("script", id="compare-data").children[0])


def accuracies(fake, name):
    paths = sorted((fake.work_dir / "runs").glob(f"{name}-s*-*/run.json"))
    return [json.loads(p.read_text())["metrics"]["top1"] for p in paths]


def test_a_pair_has_the_difference_of_the_records_and_the_table_s_p(fake, data):
    field = next(x for x in data["fields"] if x["id"] == "table2.rgb")
    assert field["names"][:2] == ["Student", "Plain"] and len(field["pairs"]) == 3
    a, b, gap, low, high, p = next(x for x in field["pairs"] if x[:2] == [0, 1])
    student, plain = (accuracies(fake, f"{n}_mgr-dark-rgb") for n in ("student", "plain"))
    assert gap == pytest.approx(100 * (np.mean(student) - np.mean(plain)), abs=0.01) and low < gap < high
    pairs = parse(fake.site / "table2.html").one("table", cls="pairs").all("tbody")[0].all("tr")
    said = pairs[0].all("td")[1].text
    assert said == ("< 0.001" if p < 0.001 else f"{p:.3f}")


def test_clips_and_recalls_are_those_of_the_predictions(fake, data):
    import pandas as pd

    tables = [pd.read_parquet(p) for p in (fake.work_dir / "runs").glob("student_mgr-dark-rgb-s*/predictions.parquet")]
    tables = [t.sort_values("clip_id", ignore_index=True) for t in tables]
    right = np.stack([np.stack(t["scores"].to_numpy()).argmax(axis=1) == t["label"] for t in tables])
    own = data["results"]["student_mgr-dark-rgb"]
    clips = data["sets"][own["set"]]
    bits = np.unpackbits(np.frombuffer(base64.b64decode(own["right"]), dtype=np.uint8))[: clips["clips"]]
    assert clips["ids"] == tables[0]["clip_id"].tolist()
    assert bits.tolist() == (right.mean(axis=0) > 0.5).astype(int).tolist()
    third = tables[0]["label"] == 3
    assert own["recall"][3] == pytest.approx(100 * right[:, third].mean(), abs=0.06)
    assert clips["classes"][3] == "fake gesture 3"


def test_without_scripts_the_best_stands_against_the_next(page):
    assert cell(page, "compare", "Table 2, RGB", "best").text.startswith("Student")
    assert cell(page, "compare", "Table 2, RGB", "next").text.startswith("Plain")
    assert "JavaScript" in page.one("section", id="choose").text


def test_of_an_ablation_only_what_its_table_compares_is_best_or_next(fake):
    """A row in a group of its own, a bound, is higher than both."""
    ledger = make_ledger([read_work_dir(fake.work_dir)], "demo", fake.benchmark, fake.entries)
    found = head_to_head.fields(ReportContext(fake.benchmark, fake.entries, ledger))
    field = next(x for x in found if x.id == "table2.rgb")
    (row,) = compare.nearest([replace(field, ranked=(1, 2))]).rows
    assert (row.cells["best"].text, row.cells["next"].text) == field.names[1:3]
    pair = next(x for x in field.pairs if (x.a, x.b) == (1, 2))
    assert row.cells["delta"].value == pytest.approx(100 * pair.found.gap)
    assert compare.nearest([replace(field, ranked=(1,))]).rows == ()


def test_configs_differ_by_dotted_keys():
    one, two = {"model": {"lr": 1, "sizes": [1, 2]}, "pipe": [{"type": "A"}]}, {"model": {"lr": 2, "sizes": [1, 2]}}
    assert flat(one) == {"model.lr": "1", "model.sizes": "[1, 2]", "pipe.0.type": '"A"'}
    keys, values, own = differing({"one": flat(one), "two": flat(two)})
    said = {i: {keys[k]: values[v] for k, v in zip(c[::2], c[1::2], strict=True)} for i, c in own.items()}
    assert said == {"one": {"model.lr": "1", "pipe.0.type": '"A"'}, "two": {"model.lr": "2"}}


def test_the_page_stays_small_and_says_what_it_left_out(fake, data, monkeypatch):
    ledger = make_ledger([read_work_dir(fake.work_dir)], "demo", fake.benchmark, fake.entries)
    found = head_to_head.fields(ReportContext(fake.benchmark, fake.entries, ledger))
    assert [x.id for x in found] == [x["id"] for x in data["fields"]]
    whole, said = compare.embedded(found)
    assert said == "" and "<" not in whole and json.loads(whole)["keys"]
    monkeypatch.setattr(compare, "LIMIT", len(whole) - 1)
    small, said = compare.embedded(found)
    assert len(small) < len(whole) and "Configs are left out" in said and json.loads(small)["fields"]


def test_the_script_compares_what_is_chosen(browse, data):
    field = next(x for x in data["fields"] if x["id"] == "table2.rgb")
    seen = browse(
        "compare.html",
        """
      const before = document.querySelector('[role=status]').textContent;
      [...document.querySelectorAll('#choose button')].find((b) => b.textContent === 'One more').click();
      const tables = document.querySelectorAll('#choose table');
      const rows = [...tables[0].tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent));
      return [before, rows, document.querySelectorAll('#choose select').length, location.hash, tables.length];
    """,
        f"#in=table2.rgb&of={field['results'][1]}&of={field['results'][0]}",
    )
    gap, low, high, p = next(x for x in field["pairs"] if x[:2] == [0, 1])[2:]
    span = f"{-high:+.1f} to {-low:+.1f}".replace("-", "−")
    shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    expected = f"Plain: −{gap:.1f} points (95 % interval {span}, {shown}) against Student; they disagree on "
    assert seen[0].startswith(expected)
    assert [r[0] for r in seen[1]] == ["Plain", "Student", field["names"][2]] and seen[1][1][2] == f"−{gap:.1f}"
    assert seen[2] == 4 and seen[3].count("of=") == 3 and seen[4] >= 2
