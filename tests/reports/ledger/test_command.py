"""The command on a page asks for what the runs were asked for."""

from types import SimpleNamespace

import pytest

from reports.ledger.command import command_for, command_of, given
from tests.helpers.fake_benchmark import fake_benchmark

RUN = "python -m harness run --profile demo --data-root DIR {}--cell 'plain_mgr-dark-rgb-s0' --force"


def ledger(*options):
    records = [SimpleNamespace(command=RUN.format(o)) for o in options]
    return SimpleNamespace(
        profile="demo",
        seeds=1,
        shown_records=records,
        runs=[],
        used_by={},
        work_dirs=(1,),
        plans=[],
        tables={"table2", "table3", "table4", "figure6"},
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([""], []),
        (["--configs DIR ", ""], ["--configs DIR"]),  # the packaged methods beside one's own
        (
            ["--quarantine mgr_dark=FILE ", "--quarantine nvgesture=FILE "],
            ["--quarantine mgr_dark=FILE", "--quarantine nvgesture=FILE"],
        ),
        (["--init scratch ", "--init scratch "], ["--init scratch"]),
        (["--init scratch ", ""], []),  # no one command makes both
        (["--compile --precision bf16 "] * 2, ["--precision bf16", "--compile"]),
    ],
)
def test_what_runs_were_asked_for_is_in_the_command_that_makes_the_pages_again(options, words):
    own = ledger(*options)
    assert given(own) == words
    assert command_of(fake_benchmark(), {}, own, real_data=True).split() == [
        *["python", "-m", "harness", "run-all", "--profile", "demo"],
        *" ".join(words).split(),
        *["--data-root", "DIR"],
    ]
    assert all(w in command_for(fake_benchmark(), own, ["table4"], real_data=False) for w in words)


def test_a_command_that_is_none_says_nothing():
    own = ledger("")
    own.shown_records = [SimpleNamespace(command=""), SimpleNamespace(command="an 'open quote")]
    assert given(own) == []


def test_cells_that_were_chosen_stand_in_the_command_and_all_of_a_table_do_not():
    own = ledger("")
    own.tables = {"table2"}
    own.used_by = {"a": ("table2",), "b+alpha=0.3": ("table2", "table3"), "c": ("table2",), "d": ("table3",)}
    own.runs = [SimpleNamespace(cell=SimpleNamespace(id=i, model=i)) for i in ("b+alpha=0.3", "a")]
    words = command_of(fake_benchmark(), {}, own, real_data=False).split()
    assert words[words.index("--cell") + 1] == "a,b+alpha=0.3"
    own.used_by["c"] = ("table3",)
    assert "--cell" not in command_of(fake_benchmark(), {}, own, real_data=False)


def test_pages_of_several_ledgers_are_written_by_a_report_of_all_of_them():
    own = ledger("")
    own.work_dirs = (1, 2)
    assert command_of(fake_benchmark(), {}, own, real_data=True) == (
        "python -m harness report --profile demo --work-dir DIR1 --work-dir DIR2"
    )
