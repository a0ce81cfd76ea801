"""The evidence page: sentences follow the numbers, and too few seeds are no evidence."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from harness.ledger.planfile import PlannedCell
from harness.ledger.record import CellInfo, Identity, Metrics, RunRecord
from harness.suite import load_benchmark
from harness.suite.benchmark import Row, Statement
from harness.suite.cells import cell_id
from reports import build
from reports.ledger.answers import Outcomes
from reports.ledger.results import Result, Run
from reports.stats.significance import paired_wins
from reports.stats.training import Training
from reports.tables.by_rows import _deltas
from reports.tables.differences import Difference, adjusted, difference, difference_cells
from reports.views.evidence.claims import UNTESTED, _verdict
from tests.helpers.fake_site import write
from tests.helpers.html_tree import cell, parse

CONFIGS = Path(__file__).resolve().parents[3] / "mm_configs"
CLIPS = 40


def result(name: str, correct: dict[int, np.ndarray]) -> Result:
    """A cell whose seeds got these clips right."""
    runs = []
    for seed, right in correct.items():
        info = CellInfo(
            model=name,
            method="M",
            stage="single",
            dataset="d",
            train_modalities=[],
            test_modality="rgb",
            seed=seed,
            profile="demo",
        )
        identity = Identity(version=1, config={}, data={}, parents={}, code={}, seed=seed)
        top1 = float(right.mean())
        record = RunRecord(
            key=f"{name}{seed}",
            status="done",
            cell=info,
            identity=identity,
            metrics=Metrics(top1=top1, top5=1.0, mean_class=top1),
        )
        planned = PlannedCell(
            id=name,
            model=name,
            method="M",
            title="M",
            dataset="d",
            stage="single",
            train_modalities=[],
            test_modality="rgb",
            seed=seed,
            key=record.key,
        )
        runs.append(Run(planned, "done", record=record))
    clips = len(right)
    subjects = tuple(str(i % 4) for i in range(clips))
    outcomes = Outcomes(tuple(map(str, range(clips))), subjects, np.zeros(clips, int), np.stack(list(correct.values())))
    return Result(name, tuple(runs), outcomes)


def draws(seeds, chance: float, salt: int) -> dict[int, np.ndarray]:
    return {seed: np.random.default_rng([salt, seed]).random(CLIPS) < chance for seed in seeds}


def test_a_difference_is_over_the_seeds_that_both_have():
    a, b = result("a", draws((0, 1, 2, 4), 0.8, 1)), result("b", draws((1, 2, 3, 4), 0.4, 2))
    found = difference(a, b)
    assert found.seeds == (1, 2, 4)
    x, y = a.outcomes.correct[1:], b.outcomes.correct[[0, 1, 3]]
    each = x.mean(axis=1) - y.mean(axis=1)
    assert found.gap == pytest.approx(each.mean()) and found.interval[0] < found.gap < found.interval[1]
    assert found.p_seeds == pytest.approx(stats.ttest_rel(x.mean(axis=1), y.mean(axis=1)).pvalue)
    wins, losses = paired_wins(x, y)
    assert found.p_clips == pytest.approx(stats.binomtest(wins, wins + losses).pvalue)
    assert found.better_in == int((each > 0).sum())
    (reference, _), (delta, p) = _deltas([b, a])  # as Table 4 has it, for the only row that is compared
    assert reference.text == "reference" and delta.value == pytest.approx(100 * found.gap)
    assert p.value == pytest.approx(max(found.p_clips, found.p_seeds))
    (_, (_, p)) = _deltas([b, a], family=8)  # a table of nine rows, whatever has been run
    assert p.value == pytest.approx(min(1.0, max(8 * found.p_clips, 8 * found.p_seeds)))
    back = difference(b, a)
    assert back.gap == pytest.approx(-found.gap) and back.p_seeds == pytest.approx(found.p_seeds)


def test_the_same_difference_in_each_seed_is_no_evidence():
    wrong, right = np.zeros(CLIPS, bool), np.arange(CLIPS) < 20
    a, b = result("a", dict.fromkeys(range(2), right)), result("b", dict.fromkeys(range(2), wrong))
    found = difference(a, b)
    assert found.gap == 0.5 and found.p_seeds is None and found.p_training is None and found.provisional
    assert difference_cells("x", found)["x.seeds"].title == "no test: every seed has the same difference"
    said = _verdict(Statement(says="A exceeds B", better="a", than="b", points=3.0), found, 2, True)
    assert said.outcome == UNTESTED
    assert said.text.endswith("all with the same difference, for which no test over seeds is defined.")
    varying = replace(a, training=Training(0.1, 6, 3))
    expected = 2 * stats.t.sf(0.5 / 0.1, 6)  # the error of a difference of two means of two: 0.1 * sqrt(1/2 + 1/2)
    assert difference(varying, b).p_training == pytest.approx(expected)
    (_, (delta, p)) = _deltas([b, varying])
    assert p.value == pytest.approx(max(found.p_clips, expected)) and not p.sub and not delta.sub.endswith(")")


def test_what_cannot_be_compared_says_why():
    a, b = result("a", draws((0,), 0.8, 1)), result("b", draws((1,), 0.8, 1))
    assert difference(a, b) == "no seed is done for both"
    assert difference(a, None) == "no run of it in the ledger"
    other = Outcomes(("x",) * CLIPS, b.outcomes.subjects, b.outcomes.labels, b.outcomes.correct)
    assert difference(a, Result("c", b.runs, other)) == "tested on different clips"


def test_both_tests_are_adjusted_for_their_number():
    one = Difference(0.1, (0.0, 0.2), 0.01, 0.02, (0, 1), 2)
    two = Difference(0.1, (0.0, 0.2), 0.03, None, (0,), 1)
    three = Difference(0.1, (0.0, 0.2), 0.04, 0.03, (0, 1), 2)
    found = adjusted([one, two, three])
    assert [d.p_clips for d in found] == pytest.approx([0.03, 0.06, 0.06])
    assert [d.p_seeds for d in found] == [pytest.approx(0.04), None, pytest.approx(0.04)]


@pytest.mark.parametrize(
    ("gap", "p_clips", "p_seeds", "seeds", "starts", "ends"),
    [
        (0.05, 0.01, 0.01, 5, "Found: A exceeds B. +5.0 points", "better in 4 of them."),
        (0.02, 0.01, 0.01, 5, "Not found: A exceeds B. +2.0 points", "but below 3 points."),
        (0.05, 0.20, 0.01, 5, "Not found: A exceeds B.", "better in 4 of them."),
        (0.05, 0.01, 0.20, 5, "Not found: A exceeds B.", "better in 4 of them."),
        (-0.05, 0.01, 0.01, 5, "Not found: A exceeds B. \u22125.0 points", "the opposite is found."),
        (0.05, 0.01, 0.01, 4, "Not decided: A exceeds B. +5.0 points", "so far, 4 seeds."),
    ],
)
def test_sentences_follow_from_the_numbers(gap, p_clips, p_seeds, seeds, starts, ends):
    found = Difference(gap, (gap - 0.01, gap + 0.01), p_clips, p_seeds, tuple(range(seeds)), 4)
    statement = Statement(says="A exceeds B", better="a", than="b", points=3.0)
    text = _verdict(statement, found, 5, True).text
    assert text.startswith(starts) and text.endswith(ends), text
    assert f"{100 * (gap - 0.01):+.1f}".replace("-", "\u2212") in text
    assert _verdict(statement, found, 5, False).text.startswith("Not decided")  # a profile that is no evidence
    assert _verdict(statement, "why", 5, True).text == "Not measured: A exceeds B (why)."


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    made = write(tmp_path_factory.mktemp("five"), seeds=5, tables=["table4"])
    build(made.work_dir, made.site, made.benchmark, made.entries)
    return made


def test_page_with_enough_seeds(five):
    page = parse(five.site / "evidence.html")
    said = [li.text for ul in page.all("ul", cls="verdicts") for li in ul.all("li")]
    assert len(said) == 3 and not page.all("aside", cls="notyet")
    assert all(t.split(":")[0] in ("Found", "Not found") for t in said)
    power = [
        t for t in said if "With 5 seeds, " in t and t.endswith("would be found in four of five such experiments.")
    ]
    assert power == [t for t in said if t.startswith("Not found")] != []
    gap = float(cell(page, "evidence", "Whole row", "base.delta").attrs["data-v"])
    number = f"{gap:+.1f}".replace("-", "\u2212")
    assert number in said[0] and (said[0].startswith("Found") <= (gap >= 3))
    assert not (said[0].startswith("Found") and said[1].startswith("Found"))  # they contradict each other
    assert cell(page, "evidence", "Base row", "base.delta").text.startswith("–")
    assert cell(page, "evidence", "Daylight", "base.delta").text == "– (tested on different clips)"
    assert "n = 5" in cell(page, "evidence", "Whole row", "m.top1").text
    counts = page.one("p", cls="finding").text
    assert counts.startswith("Of 3 statements:") and f"{sum(t.startswith('Found') for t in said)} found" in counts
    assert "--tables table4 --seeds 5" in page.text and "Synthetic data." in page.one("p", cls="synthetic").text
    links = [a.attrs["href"] for a in parse(five.site / "index.html").one("nav").all("a")]
    assert "evidence.html" in links
    tables = {t["id"] for t in json.loads((five.site / "leaderboard.json").read_text())["tables"]}
    assert {"evidence", "evidence_statements"} <= tables
    assert "SYNTHETIC" in (five.site / "downloads" / "evidence.csv").read_text()


def test_page_with_few_seeds_says_what_makes_the_evidence(tmp_path):
    made = write(tmp_path, seeds=2, tables=["table4"])
    build(made.work_dir, made.site, made.benchmark, made.entries)
    page = parse(made.site / "evidence.html")
    notyet = page.one("aside", cls="notyet").text
    assert "not evidence yet: 2 of 5 seeds" in notyet
    assert "python -m harness run-all --profile demo --tables table4 --seeds 5" in notyet
    assert "Found" not in page.text and "Not decided" in page.text


def test_the_smoke_profile_is_no_evidence_with_any_number_of_seeds(tmp_path):
    made = write(tmp_path, seeds=5, tables=["table4"], profile="smoke")
    build(made.work_dir, made.site, made.benchmark, made.entries)
    page = parse(made.site / "evidence.html")
    assert "evidence of nothing" in page.one("aside", cls="notyet").text and "--profile demo" in page.text
    assert "Found" not in page.text


def test_no_page_where_nothing_of_it_was_measured(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table3"])
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert not (made.site / "evidence.html").exists()
    assert "evidence.html" not in (made.site / "index.html").read_text()


@pytest.mark.parametrize("page", load_benchmark(CONFIGS / "benchmark.yml").evidence, ids=lambda e: e.id)
def test_the_benchmark_states_what_its_tables_measure(page):
    tables = [t for t in load_benchmark(CONFIGS / "benchmark.yml").tables if t.id in page.tables]
    cells = {cell_id(r.model, r.variant) for t in tables for r in t.rows}
    assert len(tables) == len(page.tables) and page.seeds >= 5 and {t.dataset for t in tables} == {page.dataset}
    assert {page.method, page.baseline} <= cells
    for statement in page.statements:
        assert {statement.better, statement.than} <= cells, statement.says


def test_a_page_per_data_set(tmp_path):
    made = write(tmp_path, seeds=2, tables=["table3", "table4"])
    (first,) = made.benchmark.evidence
    other = first.model_copy(
        update=dict(
            id="evidence_two",
            title="Evidence, fake two",
            dataset="nvgesture",
            tables=["table5"],
            statements=[],
            method="hostile_nvgesture-depth",
            baseline="plain_nvgesture-rgb",
        )
    )
    row = Row(id="base", title="Base row", model="plain_nvgesture-rgb")
    table5 = made.benchmark.tables[2].model_copy(update=dict(id="table5", dataset="nvgesture", rows=[row]))
    benchmark = made.benchmark.model_copy(update=dict(evidence=[first, other], tables=[*made.benchmark.tables, table5]))
    build(made.work_dir, made.site, benchmark, made.entries)
    links = [a.attrs["href"] for a in parse(made.site / "index.html").one("nav").all("a")]
    assert {"evidence.html", "evidence_two.html"} <= set(links)
    alone = benchmark.model_copy(update=dict(evidence=[other]))
    build(made.work_dir, tmp_path / "alone", alone, made.entries)
    nav = parse(tmp_path / "alone" / "index.html").one("nav")
    assert [a.text for a in nav.all("a") if a.attrs["href"].startswith("evidence")] == ["Evidence"]
    page = parse(made.site / "evidence_two.html")
    assert (
        page.one("h1").text == "Evidence, fake two" and "n = 2" in cell(page, "evidence_two", "Base row", "m.top1").text
    )
    assert "--tables table5 --seeds 5" in page.text and (made.site / "downloads" / "evidence_two.csv").is_file()


def test_a_difference_has_the_same_digits_wherever_it_stands():
    """On 240 clips a difference has two digits: in the sentence of a statement, in its table and in Table 4."""
    clips = np.arange(240)
    a, b = (result(n, {0: clips < k}) for n, k in (("a", 100), ("b", 97)))
    found = difference(a, b)
    assert found.text.startswith("+1.25 points") and difference_cells("d", found)["d.delta"].text == "+1.25"
    assert _deltas([b, a])[1][0].text == "+1.25"


def test_the_page_says_what_each_outcome_means(fake):
    how = parse(fake.site / "evidence.html").text.split("How this was decided")[1].split("The statements in numbers")[0]
    assert (
        "not decided with fewer seeds than the 5" in how and "not measured where one of its rows has no result" in how
    )
    assert "Everything else" not in how
