"""What ``plan --cost`` says of times in a ledger."""

from harness.cli.plan import print_cost
from tests.helpers.toy_jobs import toy_job


def test_a_sum_is_not_less_than_the_lines_above_it(capsys):
    jobs = {name: toy_job(name) for name in "abc"}
    states = {"a": "missing", "b": "failed", "c": "done"}
    print_cost(jobs, states, {"a": (0.7, "history"), "b": (0.7, "history")})
    *lines, total = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["0.7", "s"], ["0.7", "s"]]
    assert total.startswith("1.4 s of one slot's time for 2 jobs")
    print_cost(jobs, states, {"a": (44.6, "history"), "b": (600, "history")})
    *lines, total = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["45", "s"], ["10", "min"]] and total.startswith("11 min")
