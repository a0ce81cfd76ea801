"""``predict``: the network of a run on videos by their path says what its own test said of the same clips."""

import json
import re
import shlex
import shutil

import numpy as np
import pytest
import torch

from harness.errors import BadUsage
from harness.inference.named import named_run
from harness.inference.predictor import config_of, load_predictor
from harness.inference.remarks import remarks
from harness.ledger.identity import run_key
from harness.ledger.record import Failure
from harness.ledger.store import load_predictions, load_records, read_record, run_dir, write_record
from harness.worker.spec import read_spec, write_spec
from mtcd_plugin.formats.video import write_video
from tests.harness.conftest import write_small_configs
from tests.helpers.command_line import harness_here
from tests.helpers.tiny_data import GESTURES, write_mgr_dark

CELLS = ("i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """I3D on RGB and on depth, trained and tested at smoke."""
    root = tmp_path_factory.mktemp("predict")
    write_mgr_dark(root / "data" / "mgr_dark")
    configs = write_small_configs(root / "configs")
    got = harness_here(
        *("run", "--profile", "smoke", "--configs", configs, "--data-root", root / "data", "--work-dir", root / "w"),
        *("--seeds", "1"),
    )
    assert got.returncode == 0, got.stderr
    return root


def predict(ledger, *args):
    return harness_here("predict", *args, "--work-dir", ledger / "w")


def own_test(ledger, cell):
    """Folder of a cell's run, and its predictions with the video of each clip."""
    folder, record = next(found for found in load_records(ledger / "w")[0].values() if found[1].cell.model == cell)
    modality = record.cell.test_modality.lower()
    rows = load_predictions(folder)
    clips = ledger / "data" / "mgr_dark" / "clips" / "dark" / modality
    return folder, [(next(clips.rglob(f"{row.clip_id}.mp4")), row.scores) for row in rows.itertuples()]


@pytest.mark.parametrize("cell", CELLS)
def test_scores_are_those_of_the_runs_own_test(ledger, cell):
    _, rows = own_test(ledger, cell)
    got = predict(ledger, cell, *(video for video, _ in rows), "--json", "--top", 3)
    assert got.returncode == 0, got.stderr
    said = json.loads(got.stdout)
    assert said["synthetic"] and said["profile"] == "smoke" and said["run"].startswith(f"{cell}-s0-")
    assert [c["clip"] for c in said["clips"]] == [str(video) for video, _ in rows]
    for clip, (_, scores) in zip(said["clips"], rows, strict=True):
        found = {c["class"]: c["score"] for c in clip["classes"]}
        assert list(found.values()) == sorted(found.values(), reverse=True)
        assert [found[name] for name in GESTURES] == pytest.approx(scores.tolist(), abs=1e-5)


def test_the_data_have_the_name_of_the_pages_in_text_and_json(ledger, tmp_path):
    """Real clips of other numbers than those that were published do not go by the name of the data set."""
    root = tmp_path / "data" / "mgr_dark"
    shutil.copytree(ledger / "data" / "mgr_dark", root)
    (root / "dataset.json").unlink()  # not synthetic
    suite = ("--profile", "smoke", "--configs", ledger / "configs", "--data-root", root.parent)
    got = harness_here("run", *suite, "--work-dir", tmp_path / "w", "--seeds", "1", "--cell", CELLS[0])
    assert got.returncode == 0, got.stderr
    ask = ("predict", CELLS[0], next(root.rglob("rgb/*/*.mp4")), "--work-dir", tmp_path / "w")
    name = "clips in the layout of MGR-Dark"
    assert json.loads(harness_here(*ask, "--json").stdout)["data"] == name
    assert f", trained on {name}, profile smoke" in harness_here(*ask).stdout


def test_a_run_that_was_trained_beside_another_has_no_job_of_its_own(ledger, tmp_path):
    shutil.copytree(ledger / "w", tmp_path / "w")
    folder, rows = own_test(ledger, CELLS[0])
    (tmp_path / "w" / "runs" / folder.name / "job.json").unlink()
    with_job, without = (
        predict(ledger, CELLS[0], rows[0][0]),
        harness_here("predict", CELLS[0], rows[0][0], "--work-dir", tmp_path / "w"),
    )
    assert without.returncode == 0, without.stderr
    assert without.stdout == with_job.stdout


@pytest.mark.parametrize(("second", "said"), [("depth", "choose from these: {0}, {1}$"), ("flow", "these: {0}$")])
def test_of_what_a_mean_is_made_of_only_networks_that_read_videos_are_named(ledger, tmp_path, second, said):
    shutil.copytree(ledger / "w", tmp_path / "w")
    folders = [tmp_path / "w" / "runs" / own_test(ledger, cell)[0].name for cell in CELLS]
    text = (folders[1] / "run.json").read_text()
    (folders[1] / "run.json").write_text(text.replace('"depth"', f'"{second}"'))
    write_spec(folders[0], read_spec(folders[0]).model_copy(update={"fused": [str(f) for f in folders]}))
    with pytest.raises(BadUsage, match=said.format(*(f.name for f in folders))):
        config_of(folders[0], read_record(folders[0]))


def test_a_stale_run_is_said_to_be_one(ledger, tmp_path):
    folder, _ = own_test(ledger, CELLS[0])
    record = read_record(folder)
    assert not list(remarks(ledger / "w", record))
    name = next(n for n in record.identity.code if n.endswith(":ClipDataset"))
    code = {**record.identity.code, name: "0" * 64}
    edited = record.model_copy(update={"identity": record.identity.model_copy(update={"code": code})})
    why = f"`status --why {CELLS[0]}-s0` says what differs"
    assert list(remarks(ledger / "w", edited)) == [f"this run is stale: {name} has changed since; {why}"]
    other = record.model_copy(update={"key": "0" * 64})
    (line,) = remarks(ledger / "w", other)
    assert line.startswith("this run is older than the last plan") and line.endswith(why)
    assert not list(remarks(tmp_path, other))  # where nothing was planned
    cell = record.cell.model_copy(update={"dataset": "nvgesture"})
    (line,) = remarks(ledger / "w", record.model_copy(update={"cell": cell}))
    assert "NvGesture's lists" in line


def test_a_damaged_job_names_the_command_that_mends_it(ledger, tmp_path):
    shutil.copytree(ledger / "w", tmp_path / "w")
    folder, rows = own_test(ledger, CELLS[0])
    (tmp_path / "w" / "runs" / folder.name / "job.json").write_text('{"key": ')
    ask = ("predict", CELLS[0], rows[0][0], "--work-dir", tmp_path / "w")
    got = harness_here(*ask)
    assert got.returncode == 1 and "job.json: is damaged" in got.stderr and got.stderr.count("\n") == 1
    command = re.search("`python -m harness (.*)` makes it anew", got.stderr)[1]
    places = command.replace("--data-root DIR", f"--data-root {ledger / 'data'}")
    again = harness_here(*shlex.split(places.replace("--configs DIR", f"--configs {ledger / 'configs'}")))
    assert again.returncode == 0, again.stderr
    mended = harness_here(*ask)
    assert mended.returncode == 0 and mended.stdout == predict(ledger, CELLS[0], rows[0][0]).stdout


def test_another_video_has_other_scores_and_text_says_them(ledger, tmp_path):
    folder, rows = own_test(ledger, CELLS[0])
    other = tmp_path / "my gesture.mp4"
    frames = np.random.default_rng(0).integers(0, 255, (12, 48, 64, 3), dtype=np.uint8)
    write_video(str(other), frames, 20)
    got = predict(ledger, folder.name, other, "--top", 1, "--device", "cpu")
    assert got.returncode == 0, got.stderr
    head, line = got.stdout.splitlines()
    assert head == f"{folder.name}, trained on MGR-Dark (synthetic), profile smoke"
    best = float(re.fullmatch(rf"{re.escape(str(other))}: [\w ]+ ([\d.]+) %", line)[1])
    assert best != pytest.approx(100 * max(rows[0][1]), abs=0.05)


def test_a_slow_video_has_the_scores_of_the_same_frames_at_another_rate(ledger, tmp_path):
    frames = np.random.default_rng(3).integers(0, 256, (13, 24, 32, 3), np.uint8)
    for fps in (25, 0.4):
        write_video(tmp_path / f"{fps}.mp4", frames, fps, crf=0)
    got = predict(ledger, CELLS[0], tmp_path / "25.mp4", tmp_path / "0.4.mp4", "--json")
    assert got.returncode == 0 and "Warning" not in got.stderr
    quick, slow = json.loads(got.stdout)["clips"]
    assert slow["classes"] == quick["classes"]
    assert f"note: {tmp_path / '0.4.mp4'}: its time stamps say 0.4 frames/s; frames are taken by them" in got.stderr


def test_a_video_that_cannot_be_read_is_a_line_and_the_others_are_predicted(ledger, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    _, rows = own_test(ledger, CELLS[0])
    got = predict(ledger, CELLS[0], broken, rows[0][0])
    assert got.returncode == 1
    first, second = got.stdout.splitlines()[1:]
    assert first.startswith(f"{broken}: not predicted, ") and " %" in second and not got.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ("i3d_r50_mgr-dark-rbg", "x.mp4"),
            "unknown run, job or cell 'i3d_r50_mgr-dark-rbg' (near: i3d_r50_mgr-dark-rgb",
        ),
        ((CELLS[0], "nothing.mp4"), "nothing.mp4: no such file"),
        ((CELLS[0], "depth=nothing.mp4"), "reads rgb, not depth; give each clip as rgb=FILE"),
        ((CELLS[0], "rgb=a.mp4,depth=b.mp4"), "reads rgb, not rgb and depth"),
        ((CELLS[0], "."), ".: is no file"),
        ((CELLS[0], "/dev/null"), "/dev/null: is no file"),
        ((CELLS[0], "http://localhost/a.mp4"), "http://localhost/a.mp4: no such file"),
        ((CELLS[0], "rgb="), "'rgb=': no such file"),
        ((CELLS[0], "rgb=a.mp4,rgb=b.mp4"), "rgb=a.mp4,rgb=b.mp4: names a modality twice"),
        ((CELLS[0], "a.mp4", "--device", "x"), "--device x; choose from auto, cpu"),
        ((CELLS[0], "a.mp4", "--device", "cuda:99"), "--device cuda:99"),
    ],
)
def test_what_cannot_be_predicted_is_one_line_of_usage(ledger, args, said):
    got = predict(ledger, *args)
    assert got.returncode == 2 and said in got.stderr and got.stderr.count("\n") == 1 and not got.stdout


def test_weights_that_are_not_the_records_are_refused(ledger, tmp_path):
    shutil.copytree(ledger / "w", tmp_path / "w")
    folder, rows = own_test(ledger, CELLS[1])
    weights = tmp_path / "w" / "runs" / folder.name / "checkpoint.pth"
    for damage in (lambda: weights.write_bytes(b"x"), weights.unlink):
        damage()
        got = harness_here("predict", folder.name, rows[0][0], "--work-dir", tmp_path / "w")
        assert got.returncode == 2 and "is no valid run: " in got.stderr and got.stderr.count("\n") == 1, got.stderr
        assert "checkpoint.pth" in got.stderr


def test_what_tests_the_weights_of_its_stages_is_built_from_its_job(ledger):
    """Such a run (a stream of MTUT) has no weights of its own, and those of its stages stand in ``job.json`` alone."""
    folder, _ = own_test(ledger, CELLS[0])
    record = read_record(folder)
    assert config_of(folder, record)["test_dataloader"]["dataset"].get("data_root") is None
    without = record.model_copy(update={"checkpoint_sha256": ""})
    assert config_of(folder, without) == read_spec(folder).config
    with pytest.raises(ValueError, match=f"of another job; `python -m harness run .*--cell '{CELLS[0]}-s0' --force"):
        config_of(folder, without.model_copy(update={"key": "0" * 64}))


def test_weights_of_stages_are_those_of_the_ledger_that_is_asked(ledger, tmp_path):
    """One that was copied has the old place in its jobs: another's weights lie there by now, or nothing."""
    folder, _ = own_test(ledger, CELLS[0])
    record, spec = read_record(folder), read_spec(folder)
    stage = f"streams-s0-{'a' * 12}"
    spec.config["model"]["members"] = [f"/old/runs/{stage}/checkpoint.pth", "/elsewhere/weights.pth"]
    copied = tmp_path / "runs" / folder.name
    copied.mkdir(parents=True)
    write_spec(copied, spec)
    identity = record.identity.model_copy(update={"parents": {"streams": "a" * 64}})
    without = record.model_copy(update={"checkpoint_sha256": "", "identity": identity})
    assert config_of(copied, without)["model"]["members"] == [
        str(tmp_path / "runs" / stage / "checkpoint.pth"),
        "/elsewhere/weights.pth",
    ]


def test_a_run_whose_stages_have_the_weights_needs_them_valid(ledger, tmp_path):
    folder, _ = own_test(ledger, CELLS[0])
    record = read_record(folder)
    identity = record.identity.model_copy(update={"parents": {"streams": "a" * 64}})
    key = run_key(identity)
    copied = run_dir(tmp_path, record.cell.model, key)
    shutil.copytree(folder, copied)
    (copied / "checkpoint.pth").unlink()
    update = {"identity": identity, "key": key, "kind": "render", "checkpoint_sha256": ""}
    write_record(copied, record.model_copy(update=update))
    with pytest.raises(BadUsage, match="its streams is no valid run any more"):
        named_run(tmp_path, CELLS[0])


def test_a_cell_whose_only_run_is_not_valid_says_why(ledger, tmp_path):
    shutil.copytree(ledger / "w", tmp_path / "w")
    folder, _ = own_test(ledger, CELLS[0])
    (tmp_path / "w" / "runs" / folder.name / "run.json").write_text("{")
    for name in (CELLS[0], f"{CELLS[0]}-s0", folder.name):
        with pytest.raises(BadUsage, match=f"{folder.name} is no valid run: .*corrupt"):
            named_run(tmp_path / "w", name)
    with pytest.raises(BadUsage, match="empty has no valid run; --work-dir"):
        named_run(tmp_path / "empty", CELLS[0])


def test_a_cell_means_the_run_that_is_done_beside_one_that_failed(ledger, tmp_path):
    folder, _ = own_test(ledger, CELLS[0])
    shutil.copytree(folder, tmp_path / "runs" / folder.name)
    record = read_record(folder)
    identity = record.identity.model_copy(update={"seed": 1})
    failed = {
        **{"identity": identity, "key": run_key(identity), "status": "failed", "metrics": None},
        **{"failure": Failure(kind="crash", message="no more"), "cell": record.cell.model_copy(update={"seed": 1})},
        **{"checkpoint_sha256": "", "predictions_sha256": ""},
    }
    other = run_dir(tmp_path, f"{CELLS[0]}-s1", failed["key"])
    other.mkdir()
    write_record(other, record.model_copy(update=failed))
    assert named_run(tmp_path, CELLS[0]).folder.name == folder.name
    assert named_run(tmp_path, f"{CELLS[0]}-s0").folder.name == folder.name  # as `status` lists its job
    with pytest.raises(BadUsage, match=r"the run failed \(crash: no more\)"):
        named_run(tmp_path, other.name)


def test_names_of_clips_do_not_break_their_line(ledger, tmp_path):
    _, rows = own_test(ledger, CELLS[0])
    odd = tmp_path / "a\n\x1b[31m,b=c.mp4"
    shutil.copy(rows[0][0], odd)
    got = predict(ledger, CELLS[0], odd)
    assert got.returncode == 0, got.stderr
    assert got.stdout.splitlines()[1].startswith(f"{tmp_path}/a\\n\\x1b[31m,b=c.mp4: ")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("model", {"type": "OfAPackageThatIsGone"}, "no class 'OfAPackageThatIsGone' is registered"),
        ("custom_imports", {"imports": ["gone_package"]}, "gone_package; install the package with this Python"),
    ],
)
def test_classes_that_are_not_here_any_more_are_named(ledger, tmp_path, key, value, said):
    folder, _ = own_test(ledger, CELLS[0])
    spec, record = read_spec(folder), read_record(folder)
    spec.config[key] = record.identity.config[key] = value
    write_spec(tmp_path, spec)
    with pytest.raises(ValueError, match=f"cannot be built any more: .*{said}"):
        load_predictor(tmp_path, record, torch.device("cpu"))


def test_scores_that_are_no_numbers_are_a_problem(ledger):
    folder, rows = own_test(ledger, CELLS[0])
    predictor = load_predictor(folder, read_record(folder), torch.device("cpu"))
    for value in predictor.model.parameters():
        value.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="are not finite"):
        predictor.scores({"rgb": rows[0][0]})
