"""Stages are declared by a method's folder; the harness knows their roles, not their names."""

from pathlib import Path

import pytest

from harness.plan.jobs import Settings
from harness.plan.outputs import check_outputs
from harness.plan.planner import named_jobs
from harness.plan.resolve import stands_alone
from harness.suite import Cell, expand, load_benchmark, load_entries
from harness.suite.scaffold import new_entry

CONFIGS = Path(__file__).parents[3] / "mm_configs"
PREDICTS = [{"type": "ClipPredictions"}]
TRAINED = {"train_cfg": {}, "test_dataloader": {}, "test_cfg": {}, "test_evaluator": PREDICTS}


@pytest.fixture(scope="module")
def benchmark():
    return load_benchmark(CONFIGS / "benchmark.yml")


@pytest.fixture
def folder(tmp_path):
    """A function that writes a method with one model of a stage and these declared stages."""

    def write(stage, stages, start=""):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / "mine.py").write_text("")
        (tmp_path / "mine" / "metafile.yml").write_text(
            f"Collections: [{{Name: Mine, Starting Weights: [{start}]}}]\nStages: {stages}\nModels:\n"
            "  - {Name: mine, Config: mine/mine.py, In Collection: Mine, Modality: RGB, "
            f"Metadata: {{Training Data: MGR-Dark}}, Stage: {stage}}}\n"
        )
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("does", "result", "config"),
    [
        ("[trains, classifies]", True, TRAINED),
        ("[classifies]", False, {**TRAINED, "train_cfg": None}),
        ("[trains]", False, {"train_cfg": {}}),
        ("[renders]", False, {"test_evaluator": {"type": "Store", "output_dir": "x"}}),
    ],
)
def test_a_stage_of_ones_own_needs_no_code_of_the_harness(folder, benchmark, does, result, config):
    stages = f"[{{Name: denoiser, Title: Denoiser, Does: {does}, Result: {str(result).lower()}}}]"
    entries = load_entries(folder("denoiser", stages), benchmark)
    entry = entries["mine"]
    assert (entry.stage, entry.role.title) == ("denoiser", "Denoiser")
    assert (entry.classifies, entry.renders) == ("classifies" in does, "renders" in does)
    check_outputs(entry, config, "demo")
    assert bool(expand(benchmark, entries, "smoke", ["table2"], 1)) == result, "a row of the table of methods"


METHOD = """Collections:
  - Name: Mine
    Starting Weights: [{File: w.pth, Into: model.backbone, Stages: [net]}]
Stages:
  - {Name: net, Title: Whole network, Does: [trains, classifies], Result: true}
  - {Name: pupil, Title: Pupil, Does: [trains, classifies], Result: true}
Models:
  - {Name: mine_a, Config: mine/mine_a.py, In Collection: Mine, Modality: RGB, Stage: net,
     Metadata: {Training Data: MGR-Dark}}
  - {Name: mine_b, Config: mine/mine_b.py, In Collection: Mine, Modality: RGB, Stage: pupil,
     Metadata: {Training Data: MGR-Dark}}
"""


def test_a_network_of_a_stage_of_ones_own_is_planned_and_started_from(tmp_path, benchmark):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "metafile.yml").write_text(METHOD)
    base = "_base_ = ['mm_configs::i3d/i3d_r50_mgr-dark-rgb.py']\n"
    (folder / "mine_a.py").write_text(base)
    parents = "parents = dict(expert=dict(config='mine_a.py', inject_at=['model.backbone.pretrained']))\n"
    (folder / "mine_b.py").write_text(base + parents)
    entries = load_entries(tmp_path, benchmark)
    assert [stands_alone(entries[n], "smoke") for n in ("mine_a", "mine_b")] == [True, False]
    settings = Settings(tmp_path, "smoke", tmp_path)
    assert named_jobs([Cell(entries["mine_b"])], entries, settings) == [("mine_b", 0), ("mine_a", 0)]
    new_entry(tmp_path, "yours", entries["mine_a"], entries, benchmark)
    again = load_entries(tmp_path, benchmark)
    (new,) = (e for name, e in again.items() if name not in entries)
    assert new.method == "yours" and new.start[0].into == "model.backbone" and stands_alone(new, "smoke")


@pytest.mark.parametrize(("modality", "starts"), [("RGB", True), ("Depth", False), ("RGB+Depth", False)])
def test_weights_of_one_modality_start_no_network_of_another(folder, benchmark, modality, starts):
    start = f"{{File: mine/w.pth, Into: model.backbone, Modality: {modality}}}"
    entry = load_entries(folder("single", "[]", start), benchmark)["mine"]
    assert entry.test_modality == "rgb" and bool(entry.start) == starts


@pytest.mark.parametrize(
    ("stage", "stages", "start", "words"),
    [
        ("denoiser", "[]", "", "mine.*unknown stage 'denoiser'; choose from single, or declare it under Stages"),
        ("single", "[]", "{Stages: [denoiser]}", "Starting Weights: unknown stage 'denoiser'"),
        ("single", "[]", "{Modality: Radar}", "Starting Weights: Modality: unknown modality 'Radar'; choose from RGB"),
        (
            "single",
            "[{Name: a, Title: A, Does: [sings]}]",
            "",
            "stage 'a': Does.0: Input should be 'trains', 'classifies'",
        ),
        ("single", "[{Name: a, Title: A, Does: []}]", "", "stage 'a': Does"),
        (
            "single",
            "[{Name: single, Title: A, Does: [trains]}]",
            "",
            "'single' is the stage that every method has; leave",
        ),
        (
            "a",
            "[{Name: a, Title: A, Does: [trains]}, {Name: a, Title: B, Does: [trains]}]",
            "",
            "'a' is declared twice",
        ),
        ("a", "[{Name: a, Title: A, Does: [trains, trains]}]", "", "stage 'a': .*Does: 'trains' is listed twice"),
        (
            "a",
            "[{Name: a, Title: A, Does: [renders], Result: true}]",
            "",
            "stage 'a': .*Result: true, but stage 'a' has no",
        ),
        (
            "a",
            "[{Name: a, Title: A, Does: [trains], Result: true}]",
            "",
            "stage 'a': .*Result: true, but stage 'a' has no",
        ),
        ("single", "[{Name: a, Title: A, Does: [trains]}]", "", "Stages: no model has Stage: a; leave"),
    ],
)
def test_what_is_not_declared_is_one_line(folder, benchmark, stage, stages, start, words):
    with pytest.raises(ValueError, match=words) as e:
        load_entries(folder(stage, stages, start), benchmark)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("does", "config", "words"),
    [
        ("[renders]", {}, "no test_evaluator has an output_dir: a denoiser renders"),
        ("[renders]", {"train_cfg": {}}, "it has a train_cfg, but .* do not say that a denoiser trains"),
        ("[trains]", {"test_evaluator": [{"output_dir": "x"}]}, "do not say that a denoiser renders"),
        ("[trains, classifies]", {"train_cfg": {}}, "there is no test_dataloader"),
        ("[trains, classifies]", {**TRAINED, "test_evaluator": []}, "test_evaluator has no ClipPredictions"),
    ],
)
def test_a_config_that_does_not_do_what_its_stage_is_declared_to_is_refused(folder, benchmark, does, config, words):
    entries = load_entries(folder("denoiser", f"[{{Name: denoiser, Title: Denoiser, Does: {does}}}]"), benchmark)
    with pytest.raises(ValueError, match=words):
        check_outputs(entries["mine"], config, "demo")


@pytest.mark.parametrize("place", ["other/mine.py", "mm_configs/other/mine.py"])
def test_a_config_in_another_folder_than_its_metafile_is_not_taken_from_this_one(folder, benchmark, place):
    metafile = folder("single", "[]") / "mine" / "metafile.yml"
    for same in ("mine.py", "mm_configs/mine/mine.py"):
        metafile.write_text(metafile.read_text().replace("Config: mine/mine.py", f"Config: {same}"))
        assert list(load_entries(metafile.parents[1], benchmark)) == ["mine"]
        metafile.write_text(metafile.read_text().replace(f"Config: {same}", "Config: mine/mine.py"))
    metafile.write_text(metafile.read_text().replace("Config: mine/mine.py", f"Config: {place}"))
    with pytest.raises(ValueError, match=f"model 'mine': Config {place} lies in another folder"):
        load_entries(metafile.parents[1], benchmark)
