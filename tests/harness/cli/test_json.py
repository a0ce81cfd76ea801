"""``--json``: one JSON document with stable keys on standard output, and nothing else there."""

import json
from pathlib import Path

import numpy as np
import pytest

from harness.bench.made_up import finish
from harness.cli import main
from harness.plan.workspace import open_workspace
from harness.system.doctor import Check
from mtcd_plugin.formats.video import write_video


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in args])
    out = capsys.readouterr()
    return stop.value.code or 0, json.loads(out.out), out.err


@pytest.fixture
def suite(small_configs, tiny_data, tmp_path):
    ws = open_workspace(Path(small_configs), "smoke", tiny_data, None, None)
    (tmp_path / "work").mkdir()
    finish(ws.needed().values(), tmp_path / "work")
    return [
        *("--configs", small_configs, "--data-root", tiny_data),
        *("--work-dir", tmp_path / "work", "--profile", "smoke"),
    ]


def test_status_and_why(capsys, suite):
    code, found, _ = run(capsys, "status", *suite, "--json")
    assert code == 0 and [s["state"] for s in found] == ["done", "done"]
    assert {*found[0]} == {"job", "key", "state", "detail"}
    code, found, _ = run(capsys, "status", *suite, "--json", "--why", "i3d_r50_mgr-dark-rgb-s0")
    assert found["job"] == "i3d_r50_mgr-dark-rgb-s0" and found["lines"][0].endswith(": done")


def test_verify(capsys, suite):
    work = suite[5]
    code, found, _ = run(capsys, "verify", "--work-dir", work, "--json")
    assert code == 0 and found == {"records": 2, "findings": []}
    spoiled = next((work / "runs").iterdir())
    (spoiled / "run.json").write_text("{}")
    code, found, _ = run(capsys, "verify", "--work-dir", work, "--json")
    assert code == 1 and [f["run"] for f in found["findings"]] == [spoiled.name] and found["findings"][0]["problem"]


@pytest.mark.parametrize(("ok", "last"), [(True, "no problems found"), (False, "1 problem found")])
def test_doctor(capsys, monkeypatch, ok, last):
    monkeypatch.setattr(
        "harness.system.doctor.checks", lambda classes: iter([Check("video", ok, "av 17", "reinstall av")])
    )
    code, found, _ = run(capsys, "doctor", "--json")
    assert code == (0 if ok else 1)
    assert found == [{"name": "video", "ok": ok, "found": "av 17", "remedy": "reinstall av"}]
    with pytest.raises(SystemExit):
        main(["doctor"])
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_models_list_and_show(capsys, small_configs):
    _, found, _ = run(capsys, "models", "list", "--configs", small_configs, "--json")
    assert [e["name"] for e in found] == ["i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"]
    assert found[0] == {
        "name": "i3d_r50_mgr-dark-rgb",
        "method": "I3D",
        "dataset": "mgr_dark",
        "images": "",
        "train_modalities": ["rgb"],
        "test_modality": "rgb",
        "stage": "single",
        "config": str(small_configs / "i3d" / "i3d_r50_mgr-dark-rgb.py"),
    }


def test_models_list_shows_the_images_that_an_entry_learns_from(capsys):
    _, found, _ = run(capsys, "models", "list", "--json")
    assert {e["name"] for e in found if e["images"] == "SYSU-MM01"} == {
        "mtcd_encoder_sysu-mm01",
        "mtcd_translator_sysu-mm01",
    }
    with pytest.raises(SystemExit):
        main(["models", "list"])
    assert capsys.readouterr().out.count(" mgr_dark + SYSU-MM01 ") == 2


def test_what_show_prints_is_a_config_that_says_the_same_without_a_base(capsys, small_configs, tmp_path):
    from mmengine.config import Config

    from harness.plan.config_file import plain

    words = ["models", "show", "i3d_r50_mgr-dark-rgb", "--configs", str(small_configs)]
    _, found, _ = run(capsys, *words, "--json")
    with pytest.raises(SystemExit):
        main(words)
    (tmp_path / "shown.py").write_text(capsys.readouterr().out)
    assert json.loads(json.dumps(plain(Config.fromfile(tmp_path / "shown.py")._cfg_dict))) == found


def test_models_check(capsys, monkeypatch, small_configs):
    from harness.measure.checks.entry import Finding

    def checked(chosen, *_):
        print("what MMEngine logs")
        yield Finding(next(iter(chosen)).name, "builds", False, "change `model`")

    monkeypatch.setattr("harness.measure.checks.entry.check_entries", checked)
    code, found, err = run(capsys, "models", "check", "i3d", "--configs", small_configs, "--json")
    assert code == 1 and [f["entry"] for f in found] == ["i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"]
    assert found[0] | {"entry": ""} == {"entry": "", "what": "builds", "ok": False, "remedy": "change `model`"}
    assert "what MMEngine logs" in err


def test_data_stats(capsys, mgr_dark_root):
    code, found, _ = run(capsys, "data", "stats", mgr_dark_root, "--json")
    assert code == 0 and found["clips"] == sum(found["clips_per_split"].values()) and found["lengths"]
    with pytest.raises(SystemExit):
        main(["data", "stats", str(mgr_dark_root)])
    said = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert {len(parts) for parts in said} == {2}  # nothing is named that there is nothing to say of
    lines = dict(said)
    assert int(lines["clips"]) == found["clips"] and lines["frames"].startswith(str(min(found["lengths"])))


def test_a_data_set_is_named_as_for_the_other_commands(capsys, mgr_dark_root, tmp_path):
    _, found, _ = run(capsys, "data", "stats", mgr_dark_root, "--json")
    (tmp_path / "mgr_dark").symlink_to(mgr_dark_root)
    below = ("--data-root", tmp_path, "--dataset", "mgr_dark")
    (tmp_path / "sysu_mm01" / "exp").mkdir(parents=True)  # images, of which there is nothing to show
    alone = ("--data-root", tmp_path)  # the folder above the only one
    for given in (("--data-root", mgr_dark_root), below, alone, (mgr_dark_root, "--dataset", "mgr_dark")):
        assert run(capsys, "data", "stats", *given, "--json")[1] == found
    (tmp_path / "nvgesture" / "Video_data").mkdir(parents=True)
    for given, said in (
        (alone, f"{tmp_path}: holds mgr_dark and nvgesture; choose one with --dataset"),
        ((), "give the data set's folder once: ROOT, or --data-root DIR"),
        ((mgr_dark_root, "--data-root", tmp_path), "give the data set's folder once"),
        (("--data-root", tmp_path, "--dataset", "nonesuch"), "unknown data set 'nonesuch'"),
        (("--data-root", mgr_dark_root, "--dataset", "nvgesture"), "holds mgr_dark"),
    ):
        with pytest.raises(SystemExit) as e:
            main(["data", "sheet", *map(str, given), "--out", str(tmp_path / "sheet.png")])
        assert e.value.code == 2 and said in capsys.readouterr().err


@pytest.mark.parametrize(("people", "name"), [(1, "clips in the layout of MGR-Dark"), (21, "MGR-Dark")])
def test_clips_that_are_not_the_published_ones_are_called_so(capsys, tmp_path, people, name):
    """By the number of classes and of people, as on the pages; with how many clips are smaller or slower than most."""
    root = tmp_path / "mgr_dark"
    root.mkdir()
    (root / "classes.txt").write_text("".join(f"g{i}\n" for i in range(10)))
    (root / "subjects.csv").write_text("subject,split\n" + "".join(f"p{i},train\n" for i in range(people)))
    streams = ",".join(f"{s}_{k}" for s in ("rgb", "depth", "ir") for k in ("file", "fps", "start", "end"))
    rows = [f"clip_id,pair_id,subject,scene,gesture,lighting,{streams}"]
    for i, (rate, size) in enumerate([(25, (24, 32))] * 4 + [(15, (24, 32)), (12.5, (32, 24))]):
        write_video(str(root / f"{i}.mp4"), np.zeros((5, *size, 3), np.uint8), rate)
        rows.append(f"c{i},,p0,lab,g{i},dark,{i}.mp4,25,0,5,,,,,,,,")
    rows += [f"x{i},,p{i},lab,g{i % 10},dark,0.mp4,25,0,5,,,,,,,," for i in range(1, people)]
    (root / "annotations.csv").write_text("\n".join(rows) + "\n")
    code, found, _ = run(capsys, "data", "stats", root, "--json")
    assert code == 0 and found["name"] == name and found["left_out"] == []
    assert (found["fps"], found["other_fps"]) == ({"rgb": 25}, {"rgb": {"15": 1, "12.5": 1}})
    assert (found["resolution"], found["other_resolution"]) == ({"rgb": [32, 24]}, {"rgb": {"24 x 32": 1}})
    with pytest.raises(SystemExit):
        main(["data", "stats", str(root)])
    lines = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert lines["fps"] == "rgb: 25 (1 clip 15, 1 clip 12.5)" and lines["name"] == name
    assert lines["resolution"] == "rgb: 32 x 24 (1 clip 24 x 32)"


@pytest.mark.parametrize("command", ["stats", "sheet"])
def test_a_quarantine_of_clips_that_are_not_there_is_refused(command, capsys, mgr_dark_root, tmp_path):
    (tmp_path / "bad.txt").write_text("nonesuch\nneither\n")
    out = ["--out", str(tmp_path / "sheet.png")] if command == "sheet" else []
    with pytest.raises(SystemExit) as e:
        main(["data", command, str(mgr_dark_root), "--quarantine", str(tmp_path / "bad.txt"), *out])
    said = capsys.readouterr().err
    assert e.value.code == 2 and "has no clip 'neither' (and 1 more); correct the file" in said
    assert not (tmp_path / "sheet.png").exists()
