"""The command in a record redoes that run: it names all that the run depends on."""

import shlex

from harness.cli.run import redo_command
from harness.workspace import open_workspace
from tests.harness.conftest import CONFIGS


def opened(data_root, tables=None, configs=CONFIGS, quarantine=()):
    return open_workspace(configs, "smoke", data_root, tables, 2, quarantine)


def test_what_is_usual_is_not_named(tiny_data):
    assert redo_command(opened(None)) == "python -m harness run --profile smoke --seeds 2 --cell '{job}' --force"
    assert "--data-root DIR" in redo_command(opened(tiny_data))


def test_optional_tables_are_named_since_their_jobs_are_in_no_other_plan(tiny_data):
    ws = opened(tiny_data, "controls")
    words = shlex.split(redo_command(ws).replace("{job}", "x"))
    again = opened(tiny_data, words[words.index("--tables") + 1])
    assert {c.id for c in ws.cells} == {c.id for c in again.cells}
    shuffled = "mtcd_i3d-r50_mgr-dark-rgb+shuffle-same-class"
    assert shuffled in {c.id for c in again.cells} and shuffled not in {c.id for c in opened(tiny_data).cells}


def test_processes_quarantine_and_configs_of_ones_own_are_named(small_configs, tiny_data, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("")
    said = redo_command(opened(tiny_data, None, small_configs, (f"mgr_dark={bad}",)), gpus_per_job=2)
    for words in ("--configs DIR", "--quarantine mgr_dark=FILE", "--gpus-per-job 2"):
        assert words in said
    assert str(tmp_path) not in said  # a record says nothing of where things lie on this machine
