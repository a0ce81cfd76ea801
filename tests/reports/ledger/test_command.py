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
