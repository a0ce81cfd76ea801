"""The command line: bad input is one clear line with the right exit code; planning, status and drop-in models."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from harness.cli import main


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
    ("args", "code", "words"),
    [
        (["frobnicate"], 2, ["unknown command 'frobnicate'", "run-all"]),
        (["plan", "--profil", "demo"], 2, ["--profil"]),
        (["plan", "--seeds", "x"], 2, ["--seeds"]),
        (["plan", "--profile", "huge"], 2, ["unknown profile 'huge'", "demo, paper, smoke"]),
        (["plan", "--profile", "paper"], 2, ["--data-root"]),
        (["run-all", "--profile", "smoke", "--jobs", "0"], 2, ["--jobs 0", "at least 1"]),
        (["report", "--work-dir", "/nowhere/at/all"], 1, ["/nowhere/at/all", "run-all"]),
        (["models", "show", "nonesuch"], 2, ["unknown model 'nonesuch'", "i3d_r50_mgr-dark-rgb"]),
    ],
)
def test_bad_usage_is_one_clear_line(capsys, args, code, words):
    got, _, err = run(capsys, *args)
    assert got == code
    assert err.count("\n") == 1 and err.startswith("error: ")
    assert all(w in err for w in words)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--tables", "table9"], ["unknown table 'table9'", "table2"]),
        (["--seeds", "0"], ["--seeds 0"]),
        (["--quarantine", "mgr_dark=nofile"], ["--quarantine", "SET=FILE"]),
    ],
)
def test_bad_suite_options(capsys, suite, option, words):
    code, _, err = run(capsys, "plan", *suite, *option)
    assert code == 2 and err.count("\n") == 1 and all(w in err for w in words)


def test_unknown_backend(capsys, suite):
    code, _, err = run(capsys, "run", *suite, "--backend", "cloud")
    assert code == 2 and "unknown backend 'cloud'; choose from local" in err


def test_a_work_dir_that_cannot_be_one(capsys, suite, tmp_path):
    (tmp_path / "work").write_text("a file")
    code, _, err = run(capsys, "run", *suite)
    assert code == 1 and "not a folder" in err and err.count("\n") == 1


def test_missing_data_is_said_per_cell_and_plans_the_rest(capsys, suite, tmp_path):
    suite[3] = tmp_path / "no data"
    code, out, err = run(capsys, "plan", *suite)
    assert code == 0 and "0 jobs" in out
    assert "no such data set; give the folder with --data-root" in err and err.count("\n") == 1


def test_plan_lists_and_starts_nothing(capsys, suite, tmp_path):
    code, out, _ = run(capsys, "plan", *suite)
    assert code == 0 and "2 jobs, 0 cached, 2 missing, 0 failed" in out
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
            ["'Kinetics' is unknown", "MGR-Dark"],
        ),
        (lambda m: m["Models"][0].update({"Modality": "Sonar"}), ["modality 'Sonar' is unknown", "Depth"]),
        (lambda m: m["Models"][0].update({"Config": "gone.py"}), ["gone.py does not exist"]),
        (lambda m: m["Models"][0].update({"Name": "other"}), ["must be the config's stem"]),
        (lambda m: m["Models"][0].pop("Config"), ["Models.0.Config", "Field required"]),
    ],
)
def test_a_bad_metafile_is_named(capsys, suite, small_configs, change, words):
    path = small_configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    change(meta)
    path.write_text(yaml.safe_dump(meta))
    code, _, err = run(capsys, "plan", *suite)
    assert code == 1 and str(path) in err and all(w in err for w in words) and err.count("\n") == 1


def test_an_unknown_key_in_a_profile_is_named(capsys, suite, small_configs):
    path = small_configs / "_base_" / "profiles" / "smoke.py"
    path.write_text(path.read_text() + "\nspeed = 11\n")
    _, out, err = run(capsys, "plan", *suite)
    assert "unknown key 'speed'" in err and "0 jobs" in out


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
    from pathlib import Path

    from harness.workspace import open_workspace, save_plan

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
    from harness.plan.jobs import Settings, make_plan
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
    from harness.plan.jobs import Settings, make_plan
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
