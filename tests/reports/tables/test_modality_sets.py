"""Methods that see RGB and depth, and those of a protocol of their own: which rows are ranked with which."""

import copy
import csv
import io
from dataclasses import replace

import pytest
import yaml

from harness.suite import Benchmark, Entry, load_entries
from harness.suite import benchmark as suite
from harness.suite.stages import Stage
from reports.ledger.context import ReportContext
from reports.ledger.ledger import make_ledger
from reports.ledger.work_dir import read_work_dir
from reports.site.render import environment
from reports.tables.cost import cost_fields, cost_table
from reports.tables.export import csv_metadata, to_csv, to_json, to_markdown
from reports.tables.latex import to_latex
from reports.tables.layouts import build_table
from reports.tables.row_verdict import compared_rows
from reports.tables.verdict import by_column
from reports.views import compare
from reports.views.methods import methods
from reports.views.table import build as pages
from tests.helpers import fake_benchmark as fake
from tests.helpers.fake_ledger import write_fake_ledger

OWN = "64 frames, 200 epochs"
BOTH = {"modality": "depth+rgb", "title": "RGB + Depth"}


def entry(folder, name, method, dataset, test, protocol=""):
    config = folder / f"{name}.py"
    trained = tuple(test.split("+"))
    return Entry(name, config, method, method, "single", dataset, trained, test, protocol=protocol)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three methods on RGB and two on RGB and depth of NvGesture; own protocols of one of each, and on MGR-Dark."""
    folder = tmp_path_factory.mktemp("sets")
    data = copy.deepcopy(fake.BENCHMARK)
    data["tables"] = data["tables"][:2]
    data["figures"], data["evidence"] = [], []
    data["tables"][0]["columns"].append(BOTH)
    data["tables"][1]["columns"].append(BOTH)
    benchmark = Benchmark.model_validate(data)
    new = [
        entry(folder, "absent_nvgesture-rgb-depth", "Absent", "nvgesture", "rgb+depth"),
        entry(folder, "two_nvgesture-rgb-depth", "Two", "nvgesture", "rgb+depth"),
        entry(folder, "two_own-protocol_nvgesture-rgb-depth", "Two", "nvgesture", "rgb+depth", OWN),
        entry(folder, "three_nvgesture-rgb", "Three", "nvgesture", "rgb"),
        entry(folder, "plain_own-protocol_nvgesture-rgb", "Plain", "nvgesture", "rgb", OWN),
        entry(folder, "plain_own-protocol_mgr-dark-rgb", "Plain", "mgr_dark", "rgb", OWN),
        entry(folder, "two_own-protocol_mgr-dark-rgb-depth", "Two", "mgr_dark", "rgb+depth", OWN),
    ]
    entries = fake.fake_entries(folder / "configs") | {e.name: e for e in new}
    write_fake_ledger(folder / "work", benchmark, entries, seeds=3, takes=2)
    ledger = make_ledger([read_work_dir(folder / "work")], "demo", benchmark, entries)
    return ReportContext(benchmark, entries, ledger)


def rows(made, table, *columns):
    built = build_table(made, next(t for t in made.benchmark.tables if t.id == table))
    return [(r.cells["method"].text, *(r.cells[c] for c in columns)) for r in built.rows]


def test_a_claim_is_answered_by_the_entry_of_its_modalities(made):
    found = rows(made, "table3", "test", "claimed", "m.top1")
    (absent,) = [r for r in found if r[0] == "Absent"]
    assert absent[1].text == "RGB + Depth" and absent[2].text == "21.3" and absent[3].value is not None


def ranks(made, table, prefix, columns=("test",)):
    return {
        (name, *(c.text for c in cells[: len(columns)]), cells[-1].sub.startswith("own protocol")): cells[len(columns)]
        for name, *cells in rows(made, table, *columns, prefix + "rank", "method")
    }


def test_rows_are_ranked_among_those_of_the_same_modalities(made):
    found = ranks(made, "table3", "m.")
    for test, methods_of in (("RGB", ("Plain", "Three")), ("RGB + Depth", ("Absent", "Two"))):
        places = sorted(found[m, test, False].text for m in methods_of)
        assert places in (["1", "2"], ["1–2", "1–2"]), places


def test_a_fusion_is_said_to_be_one(made):
    separate = Stage(name="fusion", title="Fusion of separate networks", does=("classifies",), result=True)
    name = "two_nvgesture-rgb-depth"
    entries = {**made.entries, name: replace(made.entries[name], role=separate)}
    found = {r[1].sub for r in rows(replace(made, entries=entries), "table3", "method") if r[0] == "Two"}
    assert any("fusion of separate networks" in sub for sub in found)
    assert not any("fusion" in r[1].sub for r in rows(made, "table3", "method"))


def test_a_protocol_of_ones_own_is_said_and_not_ranked(made):
    apart = {k: cell for k, cell in ranks(made, "table3", "m.").items() if k[-1]}
    assert set(apart) == {("Plain", "RGB", True), ("Two", "RGB + Depth", True)}
    for cell in apart.values():
        assert cell.text == "–" and cell.title == f"own protocol: {OWN}; not ranked with the common one"
    found = rows(made, "table2", "method", "rgb.top1", "rgb.rank", "rgb.claimed")
    plain = [r for r in found if r[0] == "Plain"]
    assert [r[1].sub.split(";")[0] for r in plain] == ["", f"own protocol: {OWN}"], (
        "the common protocol answers the claim"
    )
    assert all(r[2].value is not None for r in plain)
    assert plain[0][3].state == "" and plain[1][3].title.startswith("own protocol")


@pytest.mark.parametrize(("table", "method", "prefix"), [("table2", "Plain", "rgb."), ("table3", "Absent", "m.")])
def test_a_claim_that_only_another_protocol_answers_is_answered_and_says_so(made, table, method, prefix):
    """As at demo, where some methods have no entry of the common protocol."""
    entries = {
        name: replace(e, protocol=OWN) if e.method == method else e
        for name, e in made.entries.items()
        if not (e.method == method and e.protocol)
    }
    columns = ("method", prefix + "top1", prefix + "rank")
    (row,) = [r[1:] for r in rows(replace(made, entries=entries), table, *columns) if r[0] == method]
    assert row[0].sub.startswith(f"own protocol: {OWN}")
    assert row[1].value is not None and row[2].text == "–"


def test_the_column_of_both_holds_those_that_see_both_alone(made):
    found = {r[0]: r[1:] for r in rows(made, "table2", "rgb.top1", "rgb+depth.top1", "method")}
    assert found["Two"][1].value is not None and found["Two"][0].state == "missing"
    assert found["Two"][2].sub.startswith(f"own protocol: {OWN}"), "also where it is the method's only row"
    assert found["Student"][1].state == "missing"


def test_differences_and_best_lists_leave_other_protocols_out(made):
    page = next(p for p in pages(made) if p.path == "table3.html")
    compared = {c.title: c for c in page.values["comparisons"]}
    assert {"RGB", "RGB + Depth"} <= set(compared)
    best = {b.title: [name for name, _ in b.rows] for b in page.card.blocks}
    assert sorted(best["RGB at inference"]) == ["Plain", "Three"]
    assert sorted(best["RGB + Depth at inference"]) == ["Absent", "Two"]


def test_every_sentence_and_page_that_leaves_other_protocols_out_says_so(made):
    names = "Left out, since their protocols are their own: "
    page = next(p for p in pages(made) if p.path == "table3.html")
    said = {v.column: v.line for v in page.values["verdicts"]}
    one = "1 more method has a protocol of its own and is not ranked"
    assert one in said["RGB"] and one in said["RGB + Depth"] and "protocol" not in said["Depth"]
    texts = {c.title: c.text for c in page.values["comparisons"]}
    assert texts["RGB"].endswith(names + "Plain.") and texts["RGB + Depth"].endswith(names + "Two.")
    (field,) = [x for x in cost_fields(made) if x.id == "cost_table3_rgb_depth" or x.title == "Table 3, RGB + Depth"]
    assert names + "Two." in cost_table(made, field).notes
    (compared,) = compare.build(made)
    assert f"Table 3, RGB. {names}Plain." in compared.tables[0].notes


def test_what_only_another_protocol_has_measured_is_not_called_unmeasured(made):
    results = {n: r for n, r in made.ledger.results.items() if made.protocol(n) != "common"}
    context = replace(made, ledger=replace(made.ledger, results=results))
    (said,) = by_column(context, made.benchmark.tables[1])
    assert said.text == (
        "nothing that is ranked is measured yet; 2 more methods have protocols of their own and are not ranked"
    )


def test_every_file_keeps_other_protocols_apart_and_says_why(made):
    table = build_table(made, made.benchmark.tables[1])
    own = {r.cells["method"].text for r in table.rows if r.apart}
    assert own == {"Plain", "Two"}
    lines = to_markdown(table).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("| **Protocols of their own"))
    rows_after = [line.split(" | ")[0].strip("| ") for line in lines[at + 1 : at + 3]]
    assert set(rows_after) == own and lines[at + 3] == "", "a last block, and nothing else in it"
    why = f"Not ranked with the others: Plain, Two. Protocol: {OWN}."
    assert f"- {why}" in lines
    read = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert {r["Method"] for r in read if r["Protocol"] == OWN} == own
    assert {r["Protocol"] for r in read} - {OWN, ""} == {"common"}
    assert "Protocol" in [c["titles"] for c in csv_metadata(table)["tableSchema"]["columns"]]
    found = [r for r in to_json(table)["rows"] if r.get("apart")]
    assert {r["cells"]["method"]["text"] for r in found} == own and {r["apart"] for r in found} == {OWN}
    tex = to_latex(table)
    assert tex.index("Protocols of their own, not ranked") > tex.index("Three &") and tex.count(why) == 2


def test_a_row_that_is_not_measured_is_in_no_block_of_other_protocols(made):
    """Its claimed value is as printed, whatever protocol we would train it with."""
    entries = {n: replace(e, protocol=OWN) if e.method == "Absent" else e for n, e in made.entries.items()}
    ledger = replace(made.ledger, results={})
    table = build_table(replace(made, entries=entries, ledger=ledger), made.benchmark.tables[1])
    assert not any(r.apart for r in table.rows) and OWN in to_csv(table)


def test_a_row_of_a_table_that_names_its_configs_is_not_compared_with_another_protocol(made):
    rows = [
        {"id": f"r{i}", "title": f"Row {i}", "model": name, "shows": "something"}
        for i, name in enumerate(["plain_mgr-dark-rgb", "plain_own-protocol_mgr-dark-rgb"])
    ]
    data = {"id": "own", "layout": "rows", "title": "Own. Rows", "caption": "c", "dataset": "mgr_dark", "rows": rows}
    declared = suite.Table.model_validate(data)
    table = build_table(made, declared)
    assert [(bool(r.field), bool(r.apart)) for r in table.rows] == [(True, False), (False, True)]
    assert [r.id for r in compared_rows(made, declared)] == ["r0"]
    assert f"own protocol: {OWN}" in table.rows[1].cells["row"].sub


def test_the_list_in_the_drafts_order_says_it_too(made):
    page = next(p for p in pages(made) if p.path == "table3.html")
    draft = '{% import "parts.html.j2" as parts %}{{ parts.draft(t) }}'
    html = environment().from_string(draft).render(t=page.values["table"])
    assert html.count("own protocol, not ranked") == 2


def test_the_methods_page_says_it(made):
    (two,) = [m for m in methods(made) if m.title == "Two"]
    said = {c.name: (c.test, c.protocol) for c in two.configs}
    assert said["two_nvgesture-rgb-depth"] == ("RGB + Depth", "")
    assert said["two_own-protocol_nvgesture-rgb-depth"] == ("RGB + Depth", f"own protocol: {OWN}")


@pytest.mark.parametrize(
    ("model", "optional", "protocol"),
    [
        ({}, ("demo",), ""),
        ({"Optional At": ["smoke", "demo"], "Protocol": OWN}, ("smoke", "demo"), OWN),
        ({"Optional At": []}, (), ""),
    ],
)
def test_a_model_may_say_both_in_the_place_of_its_collection(tmp_path, model, optional, protocol):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "x.py").touch()
    one = {"Name": "x", "Config": "x.py", "In Collection": "M", "Metadata": {"Training Data": "MGR-Dark"}, **model}
    meta = {"Collections": [{"Name": "M", "Optional At": ["demo"]}], "Models": [{**one, "Modality": "RGB"}]}
    (tmp_path / "m" / "metafile.yml").write_text(yaml.safe_dump(meta))
    (found,) = load_entries(tmp_path, fake.fake_benchmark()).values()
    assert (found.optional_at, found.protocol) == (optional, protocol)


def test_a_protocol_of_one_profile_is_the_entrys_own_there_alone(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "x.py").touch()
    one = {"Name": "x", "Config": "x.py", "In Collection": "M", "Metadata": {"Training Data": "MGR-Dark"}}
    meta = {
        "Collections": [{"Name": "M", "Protocol At": {"demo": OWN}}],
        "Models": [{**one, "Modality": "RGB"}],
    }
    (tmp_path / "m" / "metafile.yml").write_text(yaml.safe_dump(meta))
    (found,) = load_entries(tmp_path, fake.fake_benchmark()).values()
    assert (found.protocol, found.at("demo").protocol, found.at("paper").protocol) == ("", OWN, "")
    assert replace(found, protocol="its own").at("demo").protocol == "its own"
