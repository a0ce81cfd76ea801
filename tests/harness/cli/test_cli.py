"""The command line: bad input is one clear line with the right exit code; planning, status and drop-in models."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from harness.bench.made_up import finish
from harness.cli import cli, main
from harness.cli.group import Command
from harness.cli.types import Seconds
from harness.errors import BadUsage
from harness.plan.workspace import open_workspace, save_plan


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in args])
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


@pytest.fixture
def suite(small_configs, tiny_data, tmp_path):
    return [
        "--configs",
        small_configs,
        "--data-root",
        tiny_data,
        "--work-dir",
        tmp_path / "work",
        "--profile",
        "smoke",
    ]


@pytest.mark.parametrize(
    ("args", "option"),
    [
        (["plan", "--profile", "smoke", "--profile=demo"], "--profile"),
        (["run", "--seeds", "1", "--cell", "a", "--cell", "b", "--seeds", "1"], "--seeds"),
        (["bench", "step", "--clips", "2", "--clips", "3"], "--clips"),
        (["data", "verify", "--dataset", "a", "--dataset", "b", "--data-root", "."], "--dataset"),
        (["models", "rates", "i3d", "--rates", "1", "--rates", "2"], "--rates"),
    ],
)
def test_an_option_of_which_the_last_would_count_is_taken_once(capsys, args, option):
    code, _, err = run(capsys, *args)
    assert code == 2 and f"{option} is given 2 times; give it once" in err and "--cell" not in err


def test_no_command_takes_an_option_twice_and_flags_may_be_repeated():
    """Of all commands, also those to come."""
    names = [(name,) for name in cli.list_commands(None)]
    names += [(n, s) for (n,) in names for s in getattr(cli.get_command(None, n), "commands", ())]
    found = [cli.get_command(None, n[0]) if len(n) == 1 else cli.get_command(None, n[0]).commands[n[1]] for n in names]
    assert all(isinstance(c, (Command, click.Group)) for c in found) and len(found) > 30
    verify = cli.get_command(None, "verify")
    above = click.Context(cli, **cli.context_settings)  # a command keeps the help options of its first context
    assert verify.make_context("verify", ["--json", "--json"], parent=above).params["as_json"]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["frobnicate"], 2, ["unknown command 'frobnicate'", "run-all"]),
        (["plan", "--profil", "demo"], 2, ["--profil"]),
        (["plan", "--seeds", "x"], 2, ["--seeds"]),
        (["plan", "--seeds", "1000000000000"], 2, ["--seeds", "1<=x<=1000"]),
        (["run", "--jobs", "1000000000000"], 2, ["--jobs", "1<=x<=1024"]),
        (["run", "--workers", "1000000000000"], 2, ["--workers", "0<=x<=1024"]),
        (
            ["models", "rates", "i3d_r50_mgr-dark-rgb", "--rates", "0.1", "--seeds", "1000000000000"],
            2,
            ["--seeds", "1<=x<=1000"],
        ),
        (["plan", "--profile", "huge"], 2, ["unknown profile 'huge'", "demo, paper, smoke"]),
        (["plan", "--profile", "paper"], 2, ["--data-root"]),
        (["run-all", "--profile", "smoke", "--jobs", "0"], 2, ["'--jobs': 0"]),
        (["report", "--work-dir", "/nowhere/at/all"], 2, ["--work-dir", "/nowhere/at/all: no such folder"]),
        (["models", "show", "nonesuch"], 2, ["unknown model 'nonesuch'", "models list"]),
    ],
)
def test_bad_usage_is_one_clear_line(capsys, args, code, words):
    got, _, err = run(capsys, *args)
    assert got == code
    assert err.count("\n") == 1 and err.startswith("error: ")
    assert all(w in err for w in words)


def without(suite, options):
    """A suite's options without those that others give."""
    pairs = zip(suite[::2], suite[1::2], strict=True)
    return [word for flag, value in pairs if flag not in options for word in (flag, value)]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--tables", "table9"], ["unknown table 'table9'", "table2"]),
        (["--tables", ","], ["--tables ','", "names none"]),
        (["--quarantine", "mgr_dark=nofile"], ["--quarantine", "SET=FILE"]),
        (["--data-root", "no such"], ["'--data-root'", "'no such' does not exist"]),
        (["--configs", "no such"], ["'--configs'", "'no such' does not exist"]),
    ],
)
def test_bad_suite_options(capsys, suite, option, words):
    code, _, err = run(capsys, "plan", *without(suite, option), *option)
    assert code == 2 and err.count("\n") == 1 and all(w in err for w in words)


def every_command(group=cli, path=()):
    """(words of the command line, command) of every command that is no group."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command


NUMERIC = click.types.IntParamType | click.types.FloatParamType | Seconds
NUMBERS = [
    pytest.param(words, option.opts[0], id=" ".join([*words, option.opts[0]]))
    for words, command in every_command()
    for option in command.params
    if isinstance(option, click.Option) and isinstance(option.type, NUMERIC)
]


@pytest.mark.parametrize(("words", "option"), NUMBERS)
def test_a_number_below_its_range_is_a_usage_error_of_every_command(capsys, words, option):
    code, _, err = run(capsys, *words, f"{option}=-3")
    assert code == 2 and err.count("\n") == 1 and option in err and "-3" in err


@pytest.mark.parametrize("value", ["0", "nan", "inf", "soon"])
def test_a_time_limit_is_a_time(capsys, value):
    code, _, err = run(capsys, "run", "--time-limit", value)
    assert code == 2 and "'--time-limit'" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--cost", "--device", "h100", "--share", "nan"),
        ("models", "pretrain", "--rate", "nan"),
        ("models", "pretrain", "--rate", "inf"),
        ("bench", "gpu", "--minutes", "nan"),
    ],
    ids=" ".join,
)
def test_options_take_finite_numbers_alone(capsys, words):
    code, _, err = run(capsys, *words)
    assert code == 2 and f"'{words[-2]}': {words[-1]} is not a finite number" in err and err.count("\n") == 1


def test_models_check_takes_a_name_or_all(capsys):
    code, _, err = run(capsys, "models", "check", "tsn", "--all")
    assert code == 2 and "models check: tsn and --all each say what to check; give one" in err


def test_pretraining_for_a_profile_keeps_the_weights_of_another(capsys):
    code, _, err = run(capsys, "models", "pretrain", "tsn", "--profile", "smoke")
    assert code == 2 and "source-motions_tsn.pth is there, and no start of profile smoke" in err and "--out DIR" in err


@pytest.mark.parametrize("words", [words for words, _ in every_command()], ids=" ".join)
def test_every_command_explains_itself_and_refuses_what_it_does_not_know(capsys, words):
    for after in ("-h", "--help"):
        code, out, _ = run(capsys, *words, after)
        assert code == 0 and out.startswith("Usage:") and "--debug" in out
        assert "[default: (" not in out
    code, _, err = run(capsys, *words, "--frobnicate")
    assert code == 2 and "--frobnicate" in err and err.count("\n") == 1


@pytest.mark.parametrize("words", [(), ("data",), ("models",), ("bench",)])
def test_a_group_without_a_command_explains_itself(capsys, words):
    code, _, err = run(capsys, *words)
    assert code == 2 and err.startswith("Usage:")
    code, _, err = run(capsys, *words, "frobnicate")
    assert code == 2 and "unknown command 'frobnicate'; choose from" in err and err.count("\n") == 1


@pytest.mark.parametrize("group", ["data", "models", "bench"])
def test_help_of_a_group_says_what_a_command_does_in_a_whole_sentence(capsys, group):
    _, out, _ = run(capsys, group, "--help")
    listed = " ".join(out.split("Commands:")[1].split())
    for name in cli.get_command(None, group).commands:
        _, own, _ = run(capsys, group, name, "--help")
        first = " ".join(own.split("\n\n")[1].split()).split(". ")[0].rstrip(".")
        assert f"{name} {first}" in listed


@pytest.mark.parametrize("where", [0, 1, 3])
def test_debug_shows_the_traceback_wherever_it_stands(where, tmp_path):
    words = ["report", "--work-dir", str(tmp_path)]
    words.insert(where, "--debug")
    with pytest.raises(FileNotFoundError):
        main(words)


def test_debug_of_a_command_in_a_group(tmp_path):
    with pytest.raises(FileNotFoundError):
        main(["data", "stats", str(tmp_path), "--debug"])


@pytest.mark.parametrize(
    "words",
    [
        ["adopt", "nonesuch", "--reason", "r"],
        ["status", "--why", "nonesuch"],
        ["run", "--cell", "nonesuch"],
    ],
)
def test_a_job_that_is_not_planned_is_a_usage_error(capsys, suite, words, tmp_path):
    (tmp_path / "work").mkdir()
    code, _, err = run(capsys, *words, *suite)
    said = without_notes(err)
    assert code == 2 and "unknown job 'nonesuch'; `plan` lists them" in err and len(said) == 1 and "near" not in err
    words[words.index("nonesuch")] = "i3d_r50_mgr-dark-rbg-s0"
    code, _, err = run(capsys, *words, *suite)
    assert code == 2 and "(near: i3d_r50_mgr-dark-rgb-s0" in err and len(without_notes(err)) == 1


def without_notes(err):
    """Lines on standard error but that there is no ledger yet, which ``status`` says first."""
    return [line for line in err.splitlines() if "no ledger here yet" not in line]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["models", "new", "Mine"], "must match [a-z]"),
        (["models", "new", "i3d"], "is there already"),
        (
            ["models", "new", "mine", "--from", "mtcd_i3d-r50_mgr-dark-rgb"],
            "start from an entry that depends on no other",
        ),
        (["models", "show", "i3d_r50_mgr-dark-rgb", "--profile", "huge"], "unknown profile 'huge'; choose from"),
        (["models", "show", "i3d"], "'i3d' is a folder of several models; choose from i3d_r50_mgr-dark-rgb, "),
        (["models", "new", "mine", "--from", "tsn"], "--from: 'tsn' is a folder of several models; choose from tsn_"),
        (["models", "show", "i3d_r50_mgr-dark-rbg"], "(near: i3d_r50_mgr-dark-rgb"),
        (["models", "check", "nonesuch"], "'nonesuch'; `python -m harness models list` lists them"),
        (["models", "rates", "i3d", "--rates", "nan"], "'nan'"),
        (["data", "segment", "/nowhere", "--out", "x"], "'/nowhere' does not exist"),
        (["plan", "--tabels", "table2"], "No such option '--tabels'. Did you mean '--tables'?\n"),
        (["data", "segment", ".", "--out", "x", "--min-frames", "9", "--max-frames", "8"], "--min-frames 9"),
        (["data", "synthesize", "--datasets", "mgr", "--out", "x"], "unknown synthetic data set 'mgr'"),
        (
            ["data", "verify", "--dataset", "mgr", "--data-root", "."],
            "unknown data set 'mgr' (near: mgr_dark); choose from mgr_dark, ",
        ),
        (
            ["data", "segment", ".", "--dataset", "nvgesture", "--out", "x"],
            "of recordings 'nvgesture'; choose from mgr",
        ),
    ],
)
def test_usage_mistakes_exit_with_2(capsys, words, said):
    code, _, err = run(capsys, *words)
    assert code == 2 and said in err and err.count("\n") == 1


def test_a_work_dir_that_cannot_be_one(capsys, suite, tmp_path):
    (tmp_path / "work").write_text("a file")
    code, _, err = run(capsys, "run", *suite)
    assert code == 2 and "--work-dir" in err and "is a file" in err and err.count("\n") == 1


def test_missing_data_is_said_per_cell_and_plans_the_rest(capsys, suite, tmp_path):
    suite[3] = tmp_path / "no data"
    suite[3].mkdir()
    code, out, err = run(capsys, "plan", *suite)
    *reasons, last = err.splitlines()
    assert code == 1 and len(reasons) == 1 and "nothing can be run: none of 2 cells can be planned" in last
    assert "no such data set; --data-root names the folder that holds mgr_dark/" in reasons[0]
    assert "synthesize" not in err and "0 jobs" not in out
    assert run(capsys, "run", *suite)[2].splitlines()[-1] == last
    code, out, err = run(capsys, "plan", *suite, "--json")
    assert code == 1 and json.loads(out)["jobs"] == [] and err.splitlines() == [last]


def test_data_that_this_user_may_not_read_are_named_with_what_to_do(capsys, suite, monkeypatch):
    def denied(config):
        raise PermissionError(13, "Permission denied", "/data/mgr_dark/dataset.json")

    monkeypatch.setattr("harness.plan.planner.describe_data", denied)
    code, out, err = run(capsys, "status", *suite)
    reason = "/data/mgr_dark/dataset.json: Permission denied; change its permissions, so that this user may read it"
    assert reason in err and "Errno" not in out + err
    assert code == 0 and out.splitlines()[-1] == "0 jobs; 2 cells cannot be planned"


def test_missing_synthetic_data_can_be_made(capsys, suite, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = suite[3]
    del suite[2:4]
    (tmp_path / "elsewhere" / "data").mkdir(parents=True)
    (tmp_path / "elsewhere" / "data" / "synthetic-smoke").symlink_to(tiny)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run(capsys, "plan", *suite)[0] == 0
    monkeypatch.chdir(tmp_path)  # what one folder has is not remembered of another
    _, _, err = run(capsys, "plan", *suite)
    assert "`python -m harness data synthesize --preset smoke`" in err


def test_status_says_where_there_is_no_ledger(capsys, suite, tmp_path):
    work = tmp_path / "work"
    code, out, err = run(capsys, "status", *suite)
    assert code == 0 and "missing" in out and err.count(f"{work}: no ledger here yet") == 1
    work.mkdir()
    (work / "passwd").touch()
    for command in (["status", *suite], ["verify", "--work-dir", work]):
        code, out, err = run(capsys, *command)
        assert (code, out) == (
            1,
            "",
        ) and err == f"error: {work}: no ledger here (no folder 'runs'); give it with --work-dir\n"


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "--work-dir"],
        ["report", "--work-dir"],
        ["report", "--work-dir", ".", "--work-dir"],
        ["predict", "i3d", "a.mp4", "--work-dir"],
        ["figure", "i3d", "--work-dir"],
        ["publish", "--dry-run", "--site"],
        ["publish", "--dry-run", "--work-dir"],
        ["publish", "--dry-run", "--repo"],
        ["adopt", "--all-stale", "--dry-run", "--work-dir"],
        ["plan", "--data-root"],
        ["report", "--configs"],
        ["data", "stats"],
        ["data", "verify", "--dataset", "mgr_dark", "--data-root"],
        ["data", "segment", "--out", "out"],
        ["models", "rates", "i3d", "--rates", "0.1", "--data-root"],
    ],
)
def test_a_folder_that_is_named_and_not_there_is_bad_usage(capsys, monkeypatch, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words, "nowhere")
    assert (code, out) == (2, "") and "nowhere" in err and len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "verify", "report", "run", "run-all"])
def test_a_file_in_the_place_of_the_runs_is_said_and_nothing_is_made(capsys, suite, tmp_path, command):
    work, site = tmp_path / "work", tmp_path / "site"
    save_plan(open_workspace(suite[1], "smoke", suite[3], None, None), work)
    (work / "runs").write_text("a file")
    words = {"verify": suite[4:6], "report": [*suite[:2], *suite[4:6], "--site", site]}.get(command, suite)
    code, out, err = run(capsys, command, *words, *(["--site", site] if command == "run-all" else []))
    assert (code, out) == (1, "") and not site.exists()
    assert err == f"error: {work / 'runs'}: is a file, where a folder belongs; move it away\n"


@pytest.mark.parametrize("kind", ["file", "link to nothing"])
def test_what_has_the_place_of_the_log_files_is_said(capsys, suite, tmp_path, kind):
    place = tmp_path / "work" / "logs"
    place.parent.mkdir()
    place.write_text("mine") if kind == "file" else place.symlink_to(tmp_path / "nowhere")
    code, _, err = run(capsys, "run", *suite)
    assert code == 1 and err == f"error: {place}: is a {kind}, where a folder belongs; move it away\n"
    place.unlink()
    (tmp_path / "elsewhere").mkdir()
    place.symlink_to(tmp_path / "elsewhere")  # log files may lie on another disk
    (place.parent / "runs").mkdir()
    code, out, _ = run(capsys, "verify", "--work-dir", place.parent)
    assert (code, out) == (0, "0 records, 0 findings\n")


def test_check_sets_the_exit_code_of_status(capsys, suite):
    assert run(capsys, "status", *suite)[0] == 0
    code, out, _ = run(capsys, "status", *suite, "--check")
    assert code == 1 and "2 missing" in out
    assert run(capsys, "status", *suite, "--check", "--json")[0] == 1


def test_check_beside_why_is_of_that_job_alone(capsys, suite, finished, small_configs, tmp_path):
    (unfinished,) = (tmp_path / "work" / "runs").glob("i3d_r50_mgr-dark-depth-*")
    shutil.rmtree(unfinished)
    rgb, depth = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"
    for name, code in ((rgb, 0), (f"{rgb}-s0", 0), (depth, 1)):
        assert run(capsys, "status", *suite, "--why", name, "--check")[0] == code
        assert run(capsys, "status", *suite, "--why", name)[0] == 0
    assert run(capsys, "status", *suite, "--check")[0] == 1
    break_depth(small_configs, "model = dict(")
    code, out, _ = run(capsys, "status", *suite, "--why", depth, "--check")
    assert code == 1 and "cannot be planned" in out


def test_where_none_can_be_planned_it_is_said_of_what_was_asked_for(capsys, suite, small_configs, tmp_path):
    (small_configs / "i3d" / "i3d_r50_mgr-dark-rgb.py").write_text("model = dict(")
    break_depth(small_configs, "model = dict(")
    end = f"be planned; {tmp_path / 'work'} stays as it is\n"
    rgb, depth = ("--cell", "i3d_r50_mgr-dark-rgb"), ("--cell", "i3d_r50_mgr-dark-depth")
    for asked, what in (
        (rgb, "i3d_r50_mgr-dark-rgb-s0 cannot"),
        (rgb + depth, "none of 2 jobs that --cell names can"),
        ((), "none of 2 cells can"),
    ):
        for command in ("run", "plan"):
            code, _, err = run(capsys, command, *suite, *asked)
            assert code == 1 and err.endswith(f"error: nothing can be run: {what} {end}"), err


def test_why_takes_a_name_without_a_seed(capsys, suite):
    for seeds in (1, 2):
        code, out, _ = run(capsys, "status", *suite, "--seeds", seeds, "--why", "i3d_r50_mgr-dark-rgb")
        assert code == 0
        assert out.splitlines() == [f"i3d_r50_mgr-dark-rgb-s{seed}: missing" for seed in range(seeds)]
    code, _, err = run(capsys, "status", *suite, "--why", "i3d_r50_mgr-dark-rbg")
    assert code == 2 and "(near: i3d_r50_mgr-dark-rgb" in err


@pytest.fixture
def finished(small_configs, tiny_data, tmp_path, capsys):
    """A ledger with its plan and pages, made up; the site's folder."""
    ws = open_workspace(Path(small_configs), "smoke", tiny_data, None, None)
    save_plan(ws, tmp_path / "work")
    finish(ws.needed().values(), tmp_path / "work")
    where = ["--work-dir", tmp_path / "work", "--site", tmp_path / "site", "--configs", small_configs]
    assert run(capsys, "report", *where)[0] == 0
    return tmp_path / "site"


def test_report_says_that_records_are_not_trusted(capsys, finished, small_configs):
    work = finished.parent / "work"
    where = ["--work-dir", work, "--site", finished, "--configs", small_configs]
    next((work / "runs").glob("*/run.json")).write_text("{}")
    code, _, err = run(capsys, "report", *where)
    assert code == 0 and f"1 record rejected: `python -m harness verify --work-dir {work}` says why" in err
    assert run(capsys, "verify", "--work-dir", work)[0] == 1


def snapshot(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--data-root", "typo"], 2, ["'typo' does not exist"]),
        (["--data-root", "empty"], 1, ["none of 2 cells can be planned", "stays as it is"]),
        (["--site", "mine"], 2, ["mine: holds files that are not a leaderboard"]),
        (["--site", "mine/thesis.txt"], 2, ["is a file"]),
        (["--site", "mine/thesis.txt/below"], 2, ["--site", "thesis.txt is not a folder"]),
        (["--work-dir", "mine/thesis.txt"], 2, ["--work-dir", "is a file"]),
        (["--work-dir", "mine/thesis.txt/below"], 2, ["--work-dir", "thesis.txt is not a folder"]),
        (["--gpus-per-job", "0"], 2, ["--gpus-per-job"]),
        (["--quarantine", "mgr=bad.txt"], 2, ["unknown data set 'mgr' (near: mgr_dark); choose from mgr_dark"]),
        (["--quarantine", "nvgesture=bad.txt"], 2, ["nothing that is planned reads nvgesture"]),
        (["--quarantine", "mgr_dark=bad.txt"], 2, ["mgr_dark has no clip 'nonesuch'"]),
        (["--quarantine", "mgr_dark=ok.txt", "--quarantine", "mgr_dark=bad.txt"], 2, ["has a file already"]),
    ],
)
def test_what_cannot_be_leaves_plan_and_pages_alone(
    capsys, suite, finished, tmp_path, monkeypatch, options, code, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not lose")
    (tmp_path / "bad.txt").write_text("nonesuch\n")
    (tmp_path / "ok.txt").write_text("")
    before = snapshot(tmp_path)
    given = without([*suite, "--site", finished], options)
    got, _, err = run(capsys, "run-all", *given, *options)
    assert got == code and all(w in err for w in words)
    assert snapshot(tmp_path) == before


def test_what_is_asked_for_is_checked_before_data_are_made(capsys, small_configs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cell = ["--cell", "i3d_r50_mgr-dark-rbg-s0"]
    for bad in (["--tables", "table9"], ["--quarantine", "mgr=x"], ["--site", small_configs], ["--seeds", "0"], cell):
        code, _, _ = run(capsys, "run-all", "--profile", "smoke", "--configs", small_configs, *bad)
        assert code == 2 and not (tmp_path / "data").exists()


def test_a_quarantined_clip_is_left_out(capsys, suite, tmp_path, tiny_data):
    row = (tiny_data / "mgr_dark" / "annotations.csv").read_text().splitlines()[1]
    (tmp_path / "bad.txt").write_text(row.split(",")[0] + "\n")
    code, out, _ = run(capsys, "plan", *suite, "--quarantine", f"mgr_dark={tmp_path / 'bad.txt'}")
    assert code == 0 and "2 jobs" in out


def test_plan_lists_and_starts_nothing(capsys, suite, tmp_path):
    code, out, _ = run(capsys, "plan", *suite)
    assert code == 0 and "2 jobs, 0 done, 2 missing, 0 failed" in out
    assert not (tmp_path / "work").exists()


def test_plan_as_json(capsys, suite):
    _, out, _ = run(capsys, "plan", *suite, "--json")
    plan = json.loads(out)
    assert {c["id"] for c in plan["cells"]} == {"i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"}
    assert all(j["state"] == "missing" for j in plan["jobs"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda m: m["Models"][0].update({"Metadata": {"Training Data": "Kinetics"}}),
            ["unknown Training Data 'Kinetics'", "MGR-Dark"],
        ),
        (
            lambda m: m["Models"][0].update({"Modality": "Sonar"}),
            ["model 'i3d_r50_mgr-dark-rgb'", "unknown modality 'Sonar'", "Depth"],
        ),
        (lambda m: m["Models"][0].update({"Modality": "RGB+Sonar"}), ["unknown modality 'Sonar'", "Depth"]),
        (lambda m: m["Models"][0].update({"Modality": "RGB+RGB"}), ["Modality: modality RGB is named twice"]),
        (
            lambda m: m["Models"][0].update({"Training Modalities": ["RGB", "RGB"]}),
            ["Training Modalities: modality RGB is named twice"],
        ),
        (lambda m: m["Models"][0].update({"Config": "gone.py"}), ["gone.py does not exist"]),
        (lambda m: m["Models"][0].update({"Name": "other"}), ["must be the config's stem"]),
        (lambda m: m["Models"][0].pop("Config"), ["model 'i3d_r50_mgr-dark-rgb'", "Config is missing"]),
    ],
)
def test_a_bad_metafile_is_named(capsys, suite, small_configs, change, words):
    path = small_configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    change(meta)
    path.write_text(yaml.safe_dump(meta))
    code, _, err = run(capsys, "plan", *suite)
    assert code == 1 and str(path) in err and all(w in err for w in words) and err.count("\n") == 1


def test_plan_lists_the_jobs_that_run_would_for_a_cell(capsys, suite):
    code, out, _ = run(capsys, "plan", *suite, "--cell", "i3d_r50_mgr-dark-rgb", "--cell", "i3d_r50_mgr-dark-rgb-s0")
    assert code == 0 and "i3d_r50_mgr-dark-rgb-s0" in out and "depth" not in out
    assert out.splitlines()[-1].startswith("1 cell of table2 at profile smoke: 1 job, 0 done, 1 missing")
    code, out, _ = run(capsys, "plan", *suite, "--cell", "i3d_r50_mgr-dark-rgb", "--json")
    assert [j["name"] for j in json.loads(out)["jobs"]] == ["i3d_r50_mgr-dark-rgb-s0"]
    assert [c["id"] for c in json.loads(out)["cells"]] == ["i3d_r50_mgr-dark-rgb"]
    code, _, err = run(capsys, "plan", *suite, "--cell", "i3d_r50_mgr-dark-rbg")
    assert code == 2 and "--cell: unknown job 'i3d_r50_mgr-dark-rbg' (near: i3d_r50_mgr-dark-rgb" in err


def test_an_unknown_key_in_a_profile_is_named(capsys, suite, small_configs):
    path = small_configs / "_base_" / "profiles" / "smoke.py"
    path.write_text(path.read_text() + "\nspeed = 11\n")
    code, _, err = run(capsys, "plan", *suite)
    assert code == 1 and "unknown key 'speed'" in err


def drop_in(configs):
    """A user's folder: one config of four lines and its metafile."""
    folder = configs / "mine"
    folder.mkdir()
    (folder / "mine_mgr-dark-rgb.py").write_text(
        "_base_ = ['../_base_/default_runtime.py', '../_base_/datasets/mgr_dark_rgb.py',\n"
        "          '../_base_/models/tsn_r50.py', '../_base_/schedules/paper.py']\n"
    )
    (folder / "metafile.yml").write_text(
        yaml.safe_dump(
            {
                "Collections": [{"Name": "Mine & <Yours>"}],
                "Models": [
                    {
                        "Name": "mine_mgr-dark-rgb",
                        "Config": "mine_mgr-dark-rgb.py",
                        "In Collection": "Mine & <Yours>",
                        "Metadata": {"Training Data": "MGR-Dark"},
                        "Modality": "RGB",
                    }
                ],
            }
        )
    )


def test_a_dropped_in_folder_adds_a_row_to_the_plan_and_the_page(capsys, suite, small_configs, tmp_path):
    drop_in(small_configs)
    code, out, _ = run(capsys, "plan", *suite)
    assert "mine_mgr-dark-rgb-s0" in out and "3 jobs" in out
    ws = open_workspace(Path(small_configs), "smoke", Path(suite[3]), None, None)
    save_plan(ws, tmp_path / "work")
    code, _, _ = run(
        capsys,
        "report",
        "--work-dir",
        tmp_path / "work",
        "--site",
        tmp_path / "site",
        "--configs",
        small_configs,
    )
    page = (tmp_path / "site" / "table2.html").read_text()
    assert code == 0 and "Mine &amp; &lt;Yours&gt;" in page


def test_variants_share_what_is_equal(small_configs, tiny_data):
    """A variant whose override is the config's own value is the same run."""
    from harness.plan.jobs import Settings
    from harness.plan.planner import make_plan
    from harness.suite import Cell, load_benchmark, load_entries

    entries = load_entries(small_configs, load_benchmark(small_configs / "benchmark.yml"))
    entry = entries["i3d_r50_mgr-dark-rgb"]
    cells = [
        Cell(entry),
        Cell(entry, "same", {"train_cfg.max_epochs": 1}),
        Cell(entry, "other", {"model.cls_head.dropout_ratio": 0.9}),
    ]
    plan = make_plan(cells, entries, Settings(small_configs, "smoke", tiny_data))
    keys = [plan.keys[c.id, 0] for c in cells]
    assert keys[0] == keys[1] != keys[2] and len(plan.jobs) == 2


def test_the_key_does_not_depend_on_where_the_data_lies(small_configs, tiny_data, tmp_path):
    from harness.plan.jobs import Settings
    from harness.plan.planner import make_plan
    from harness.suite import Cell, load_benchmark, load_entries

    shutil.copytree(tiny_data / "mgr_dark", tmp_path / "moved é data" / "mgr_dark")
    entries = load_entries(small_configs, load_benchmark(small_configs / "benchmark.yml"))
    cell = Cell(entries["i3d_r50_mgr-dark-rgb"])
    keys = {
        make_plan([cell], entries, Settings(small_configs, "smoke", r)).keys[cell.id, 0]
        for r in (tiny_data, tmp_path / "moved é data")
    }
    assert len(keys) == 1


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom harness.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'mmengine', 'pydantic', 'pandas', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_what_the_profile_overrides_is_said_and_stands_in_the_record(capsys, suite, small_configs, tiny_data):
    from harness.plan.workspace import open_workspace

    drop_in(small_configs)
    path = small_configs / "mine" / "mine_mgr-dark-rgb.py"
    path.write_text(path.read_text() + "\ntrain_cfg = dict(max_epochs=33)\ntest_dataloader = dict(batch_size=3)\n")
    said = "train_cfg.max_epochs = 33 (1), test_dataloader.batch_size = 3 (16)"
    for command in (["plan"], ["status"]):
        _, _, err = run(capsys, *command, *suite)
        (line,) = without_notes(err)
        assert line.startswith("note: mine_mgr-dark-rgb: ") and said in line
    _, out, err = run(
        capsys, "models", "show", "mine_mgr-dark-rgb", "--profile", "smoke", "--configs", small_configs, "--json"
    )
    assert said in err and json.loads(out)["train_cfg"]["max_epochs"] == 1
    jobs = open_workspace(small_configs, "smoke", tiny_data, None, None).needed().values()
    assert [any(said in note for note in j.notes) for j in jobs] == [j.cell.model.startswith("mine") for j in jobs]


def test_a_new_folder_says_where_values_of_ones_own_go(capsys, small_configs):
    code, out, _ = run(capsys, "models", "new", "mine", "--modality", "rgb", "--configs", small_configs)
    assert code == 0 and "profiles = dict(demo=dict(...))" in out and "models check mine" in out


def break_depth(configs, text):
    """The config of depth says something that cannot be planned."""
    path = configs / "i3d" / "i3d_r50_mgr-dark-depth.py"
    path.write_text(f"{path.read_text()}\n{text}\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model = dict(", ["not a readable config"]),
        (
            "train_dataloader = dict(dataset=dict(_delete_=True, type='MGRDarkDataset', modalities=['depth']))",
            ["KeyError", "data_root"],
        ),
        ("custom_imports = 3", ["custom_imports = 3; write custom_imports = dict(imports=["]),
        ("model = dict(backbone=dict(depth=float('nan')))", ["not a finite number"]),
    ],
)
def test_a_cell_that_cannot_be_planned_stops_no_other(capsys, suite, small_configs, tmp_path, text, words):
    break_depth(small_configs, text)
    code, out, err = run(capsys, "plan", *suite)
    assert code == 0 and "i3d_r50_mgr-dark-rgb-s0" in out and err.count("\n") == 1
    assert err.startswith("cannot plan i3d_r50_mgr-dark-depth-s0: ") and all(w in err for w in words)


def test_a_name_without_a_seed_stands_for_all_seeds_and_stages_have_names_before_there_is_data(tmp_path):
    from harness.plan.choice import chosen_jobs
    from harness.plan.jobs import Settings
    from harness.suite import expand, load_benchmark, load_entries

    configs = Path(__file__).parents[3] / "mm_configs"
    benchmark = load_benchmark(configs / "benchmark.yml")
    entries = load_entries(configs, benchmark)
    cells = expand(benchmark, entries, "smoke", ["table4"], 2)
    asked = chosen_jobs, cells, entries, Settings(configs, "smoke", tmp_path)

    def chosen(*names):
        return asked[0](names, *asked[1:])

    student = "mtcd_i3d-r50_mgr-dark-rgb"
    assert chosen(student) == chosen(f"{student}-s0", f"{student}-s1", student) == (f"{student}-s0", f"{student}-s1")
    assert chosen("mtcd_translator_sysu-mm01-s0") == ("mtcd_translator_sysu-mm01-s0",)
    with pytest.raises(ValueError, match=f"--cell: unknown job '{student}-s2' .near: {student}-s1"):
        chosen(f"{student}-s2")


def test_a_cell_without_predictions_is_not_planned(capsys, suite, small_configs):
    break_depth(small_configs, "profiles = dict(smoke=dict(test_evaluator=[dict(type='AccMetric')]))\n")
    code, out, err = run(capsys, "plan", *suite)
    assert "1 job" in out and "test_evaluator has no ClipPredictions" in err and err.count("\n") == 1


def test_every_command_says_which_cells_cannot_be_planned(capsys, suite, small_configs, tiny_data, tmp_path):
    from harness.bench.made_up import finish
    from harness.plan.workspace import open_workspace

    break_depth(small_configs, "model = dict(")
    (tmp_path / "work").mkdir()
    finish(open_workspace(small_configs, "smoke", tiny_data, None, None).needed().values(), tmp_path / "work")
    good, bad = ("--cell", "i3d_r50_mgr-dark-rgb-s0"), ("--cell", "i3d_r50_mgr-dark-depth-s0")
    for options, code in (((), 1), (good, 0), (bad, 1), (good + bad, 1)):
        got, out, err = run(capsys, "run", *suite, *options)
        assert got == code, (options, out, err)
        assert ("cannot plan i3d_r50_mgr-dark-depth" in err) == (code == 1), options
    _, out, err = run(capsys, "status", *suite)
    assert "1 cell cannot be planned" in out and err.startswith("cannot plan i3d_r50_mgr-dark-depth-s0: ")
    _, out, _ = run(capsys, "status", *suite, "--json")
    assert [(s["job"], s["state"]) for s in json.loads(out)] == [
        ("i3d_r50_mgr-dark-rgb-s0", "done"),
        ("i3d_r50_mgr-dark-depth-s0", "cannot be planned"),
    ]
    code, out, _ = run(capsys, "status", *suite, "--why", "i3d_r50_mgr-dark-depth-s0")
    assert code == 0 and "cannot be planned - " in out and "not a readable config" in out
    assert run(capsys, "status", *suite, "--why", "i3d_r50_mgr-dark-depth")[1] == out
    for more in ([], ["--json"]):  # the only cell that is asked for
        assert run(capsys, "plan", *suite, "--cell", "i3d_r50_mgr-dark-depth", *more)[0] == 1
    assert run(capsys, "plan", *suite, "--cells") == run(capsys, "plan", *suite, "--list-cells")
    code, out, _ = run(capsys, "plan", *suite, "--list-cells")
    assert code == 0 and [line[:17].strip() for line in out.splitlines()[:2]] == ["done", "cannot be planned"]
    code, _, err = run(capsys, "adopt", "i3d_r50_mgr-dark-depth-s0", "--reason", "x", *suite)
    assert code == 1 and "cannot be planned" in err


def test_a_run_that_stands_for_two_entries_is_said_and_has_both_names(
    capsys, suite, small_configs, tiny_data, tmp_path
):
    from harness.bench.made_up import finish
    from harness.plan.workspace import open_workspace

    drop_in(small_configs)
    (small_configs / "mine" / "mine_mgr-dark-rgb.py").write_text("_base_ = '../i3d/i3d_r50_mgr-dark-rgb.py'\n")
    (tmp_path / "work").mkdir()
    finish(open_workspace(small_configs, "smoke", tiny_data, None, None).needed().values(), tmp_path / "work")
    _, out, err = run(capsys, "status", *suite)
    assert "2 jobs: 2 done" in out
    assert err.startswith("note: mine_mgr-dark-rgb: the same run as i3d_r50_mgr-dark-rgb;") and err.count("\n") == 1
    code, out, _ = run(capsys, "run", *suite, "--cell", "mine_mgr-dark-rgb-s0")
    assert code == 0 and "1 job: 1 done before" in out
    _, out, _ = run(capsys, "status", *suite, "--why", "mine_mgr-dark-rgb-s0")
    assert out.startswith("i3d_r50_mgr-dark-rgb-s0 (the same run as mine_mgr-dark-rgb-s0): done")


@pytest.mark.parametrize(
    ("kept", "limit", "alone"), [(9, 2, False), (7, None, False), (5, None, True), (1, None, True)]
)
def test_an_epoch_of_a_small_set_is_the_whole_set(small_configs, tiny_data, tmp_path, kept, limit, alone):
    """Two batches of 4 clips at smoke, where there are as many; a batch of a single clip at the end is said."""
    from harness.plan.workspace import RunChoices, open_workspace
    from mtcd_plugin.formats.mgr_dark import read_mgr_dark

    clips = read_mgr_dark(str(tiny_data / "mgr_dark")).clips
    train = [c.clip_id for c in clips if c.split == "train" and c.lighting == "dark"]
    (tmp_path / "bad.txt").write_text("".join(f"{c}\n" for c in train[kept:]))
    choices = RunChoices(quarantine=(f"mgr_dark={tmp_path / 'bad.txt'}",))
    ws = open_workspace(small_configs, "smoke", tiny_data, None, None, choices)
    for job in ws.needed().values():
        assert job.data.train_clips == kept and job.config["train_dataloader"].get("num_batch_per_epoch") == limit
        note = f"num_batch_per_epoch = 2 does not apply: fewer clips to train on ({kept})"
        assert [n for n in job.notes if "num_batch" in n] == ([note] if limit is None else [])
        assert job.identity.config["train_dataloader"].get("num_batch_per_epoch") == limit
        note = f"the last batch of an epoch has one clip ({kept} in batches of 4): a batch norm takes its variance"
        assert [n.startswith(note) for n in job.notes if "last batch" in n] == [True] * alone


def test_rates_are_tried_on_no_more_synthetic_data_than_their_cells_read(monkeypatch, tmp_path):
    made = []

    def make(root, preset, wanted):
        made.append((preset, wanted))
        raise BadUsage("no more")

    monkeypatch.setattr("harness.cli.common.make_synthetic", make)
    with pytest.raises(SystemExit):
        main(
            [
                *(["models", "rates", "i3d_r50_mgr-dark-rgb", "--rates", "0.1", "--profile", "smoke", "--work-dir"]),
                str(tmp_path / "w"),
            ]
        )
    ((preset, wanted),) = made
    assert preset == "smoke" and wanted["mgr_dark"] == ("dark rgb",) and "nvgesture" not in wanted


def test_the_columns_of_the_list_of_models_stand_below_one_another(capsys):
    _, out, _ = run(capsys, "models", "list")
    rows = [re.fullmatch(r".*  (\S+(?: \+ \S+)?) +\S+ -> \S+ +(\S+)", row) for row in out.splitlines()]
    assert len(rows) > 50
    for column in (1, 2):
        assert len({row.start(column) for row in rows}) == 1


@pytest.mark.parametrize(
    ("said", "line"), [((), "interrupted"), (("x: clips are kept",), "interrupted; x: clips are kept")]
)
def test_an_interrupt_is_one_line_and_says_what_is_kept(monkeypatch, capsys, said, line):
    def interrupted(*_):
        raise KeyboardInterrupt(*said)

    monkeypatch.setattr("harness.system.doctor.checks", interrupted)
    code, _, err = run(capsys, "doctor")
    assert code == 130 and err.strip() == f"error: {line}"
