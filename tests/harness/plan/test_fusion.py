"""Fusion of runs that are cells of their own: planned after them, by what they predicted, and run."""

import json
import shutil

import numpy as np
import pytest
import yaml

from harness.ledger.store import load_predictions, load_records
from harness.plan.parents import is_fusion, read_parent
from harness.plan.workspace import open_workspace
from harness.suite import load_suite
from tests.helpers.bare_record import record_of
from tests.helpers.command_line import harness_here

STAGE = {"Name": "fusion", "Title": "Fusion of separate networks", "Does": ["classifies"], "Result": True}
NAME = "i3d_r50_mgr-dark-rgb-depth"
RGB, DEPTH = "i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth"
CONFIG = """_base_ = [
    '{base}_base_/default_runtime.py',
    '{base}_base_/datasets/mgr_dark_fusion.py',
    '{base}_base_/models/score_fusion.py',
]
parents = dict(
    rgb=dict(
        config='{where}i3d_r50_mgr-dark-rgb.py', output='predictions', inject_at='model.members.rgb.predictions'),
    depth=dict(
        config='{where}i3d_r50_mgr-dark-depth.py', output='predictions', inject_at='model.members.depth.predictions'))
"""
MODEL = {
    "Name": NAME,
    "Config": f"i3d/{NAME}.py",
    "In Collection": "I3D",
    "Metadata": {"Training Data": "MGR-Dark", "Pretrained": "none"},
    "Modality": "RGB+Depth",
    "Training Modalities": ["RGB", "Depth"],
    "Stage": "fusion",
}


def change_yaml(path, change):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def add_column(benchmark):
    benchmark["tables"][0]["columns"].append({"modality": "rgb+depth", "title": "RGB + Depth"})


def declare(meta):
    meta["Stages"] = [STAGE]
    meta["Models"].append(MODEL)


@pytest.fixture
def configs(small_configs):
    """I3D on RGB, on depth, and their fusion."""
    (small_configs / "i3d" / f"{NAME}.py").write_text(CONFIG.format(base="../", where=""))
    change_yaml(small_configs / "i3d" / "metafile.yml", declare)
    change_yaml(small_configs / "benchmark.yml", add_column)
    return small_configs


def planned(configs, data, seeds=1):
    return open_workspace(configs, "smoke", data, None, seeds).plan


def test_its_members_are_the_cells_of_the_table_each_with_its_own_seed(configs, tiny_data):
    plan = planned(configs, tiny_data, seeds=2)
    assert not plan.errors and len(plan.jobs) == 6
    for seed in range(2):
        job = plan.jobs[plan.keys[NAME, seed]]
        assert job.parents == {"rgb": plan.keys[RGB, seed], "depth": plan.keys[DEPTH, seed]}
        assert job.outputs == {"rgb": "predictions", "depth": "predictions"} and job.cell.test_modality == "rgb+depth"
        assert job.kind == "render" and job.classifies and not job.pretrained


def test_starting_weights_are_for_what_is_trained(configs):
    entries = load_suite(configs)[1]
    assert entries[RGB].start and not entries[NAME].start


def append(configs, text, name=NAME):
    path = configs / "i3d" / f"{name}.py"
    path.write_text(path.read_text() + f"\n{text}\n")


def of_depth(old, new):
    """Change what the fusion's config says of its second parent."""

    def change(configs):
        path = configs / "i3d" / f"{NAME}.py"
        head, depth = path.read_text().split("    depth=")
        assert old in depth
        path.write_text(head + "    depth=" + depth.replace(old, new))

    return change


def retitled(field, value):
    def change(configs):
        change_yaml(configs / "i3d" / "metafile.yml", lambda m: m["Models"][-1].update({field: value}))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda c: append(c, "test_dataloader = dict(dataset=dict(lighting='daylight'))", DEPTH),
            ["parents.depth", "3 clips of MGR-Dark (split test, lighting daylight)", "(split test, lighting dark)"],
        ),
        (
            lambda c: append(c, "test_dataloader = dict(dataset=dict(split='train', test_mode=True))"),
            ["parents.rgb", "is tested on 3 clips", "on 9 clips of MGR-Dark (split train, lighting dark)"],
        ),
        (
            of_depth("output='predictions'", "output='checkpoint'"),
            ["test_dataloader reads RGB, but", "Modality RGB+Depth"],
        ),
        (
            of_depth("output='predictions'", "output='logits'"),
            ["unknown output 'logits'", "predictions"],
        ),
        (
            of_depth("output='predictions'", "output='store'"),
            ["output store: a single (i3d_r50_mgr-dark-depth) leaves checkpoint, predictions; choose from these"],
        ),
        (
            of_depth("output=", "outputs="),
            ["parents.depth takes config, inject_at, out"],
        ),
        (retitled("Modality", "RGB"), ["its parents read RGB+Depth", "declares Modality RGB;", "correct `parents`"]),
        (
            of_depth("i3d_r50_mgr-dark-depth.py", "i3d_r50_mgr-dark-rgb.py"),
            ["its parents read RGB, but", "declares Modality RGB+Depth"],
        ),
    ],
)
def test_what_cannot_be_fused_is_one_line_and_nothing_else_stops(configs, tiny_data, change, words):
    change(configs)
    plan = planned(configs, tiny_data)
    assert (RGB, 0) in plan.keys and (DEPTH, 0) in plan.keys
    ((cell, reason),) = plan.errors.items()
    assert cell == (NAME, 0) and all(w in reason for w in words) and "\n" not in reason, reason


def test_a_parent_that_predicts_no_class_is_no_member():
    entries = load_suite(configs_of_the_package())[1]
    by_path = {e.config.resolve(): e for e in entries.values()}
    declared = {"config": "mtcd_translator_mgr-dark.py", "inject_at": "model.x", "output": "predictions"}
    with pytest.raises(ValueError, match="output predictions: a translator .* leaves checkpoint; choose from these"):
        read_parent(entries["mtcd_i3d-r50_mgr-dark-rgb"], "t", declared, by_path)
    assert not is_fusion({}) and not is_fusion({"t": {"config": "x"}})


def configs_of_the_package():
    from harness import PACKAGED_CONFIGS

    return PACKAGED_CONFIGS


def test_a_folder_of_ones_own_fuses_packaged_networks(tmp_path, mgr_dark_root, monkeypatch):
    """With --configs: a metafile and a config that inherit by name."""
    monkeypatch.setattr("harness.plan.planner.check_classes", lambda config: "")  # more of them than the tiny data have
    folder = tmp_path / "my_configs" / "mine"
    folder.mkdir(parents=True)
    text = CONFIG.format(base="mm_configs::", where="mm_configs::i3d/")
    (folder / "mine_mgr-dark-rgb-depth.py").write_text(text)
    model = {
        **MODEL,
        "Name": "mine_mgr-dark-rgb-depth",
        "Config": "mine_mgr-dark-rgb-depth.py",
        "In Collection": "Mine",
    }
    meta = {"Collections": [{"Name": "Mine"}], "Stages": [STAGE], "Models": [model]}
    (folder / "metafile.yml").write_text(yaml.safe_dump(meta))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mgr_dark").symlink_to(mgr_dark_root)
    ws = open_workspace(tmp_path / "my_configs", "smoke", tmp_path / "data", "table2_rgbd", 1)
    job = ws.plan.jobs[ws.plan.keys["mine_mgr-dark-rgb-depth", 0]]
    assert {ws.plan.jobs[key].cell.model for key in job.parents.values()} == {RGB, DEPTH}


def test_its_cost_is_known_where_that_of_every_member_is():
    from harness.ledger.record import Cost
    from harness.worker.runner import record_fused_cost

    rgb, depth = Cost(params=3, flops=50, input_shape=[3, 8, 4, 4]), Cost(params=4, flops=7, input_shape=[1, 8, 4, 4])
    for members, wanted in (
        ([rgb, depth], Cost(params=7, flops=57)),
        ([rgb, rgb], Cost(params=6, flops=100, input_shape=[3, 8, 4, 4])),
        ([rgb, Cost(params=1)], Cost(params=4)),
    ):
        record = record_of("done")
        record_fused_cost(record, members)
        assert record.cost == wanted


def test_it_takes_no_time_to_speak_of(configs, tiny_data):
    from harness.measure.probe import probe

    plan = planned(configs, tiny_data)
    assert probe([plan.keys[NAME, 0]], plan.jobs) == {plan.keys[NAME, 0]: 0.0}


@pytest.fixture
def options(configs, tiny_data, tmp_path):
    return ["--configs", configs, "--data-root", tiny_data, "--work-dir", tmp_path / "work", "--profile", "smoke"]


def test_it_is_the_mean_of_its_members_and_costs_their_sum(options, tmp_path):
    done = harness_here("run-all", *options, "--site", tmp_path / "site")
    assert done.returncode == 0 and "3 jobs: 0 done before, 3 run, 0 failed" in done.stdout, done.stdout + done.stderr
    records, rejected = load_records(tmp_path / "work")
    found = {record.cell.model: (folder, record) for folder, record in records.values()}
    assert not rejected
    fused, rgb, depth = (load_predictions(found[m][0]) for m in (NAME, RGB, DEPTH))
    assert fused["clip_id"].tolist() == rgb["clip_id"].tolist() == depth["clip_id"].tolist()
    both = [np.stack(x["scores"]) for x in (fused, rgb, depth)]
    np.testing.assert_allclose(both[0], (both[1] + both[2]) / 2, rtol=1e-6)
    costs = [found[m][1].cost for m in (NAME, RGB, DEPTH)]
    assert costs[0].params == costs[1].params + costs[2].params
    assert costs[0].flops == costs[1].flops + costs[2].flops
    assert found[NAME][1].checkpoint_sha256 == "" and found[NAME][1].cell.test_modality == "rgb+depth"
    rows = json.loads((tmp_path / "site" / "leaderboard.json").read_text())
    assert "RGB + Depth" in json.dumps(rows, ensure_ascii=False)

    damaged = found[DEPTH][0] / "predictions.parquet"  # its run is made anew, and so is what stands on it
    damaged.write_bytes(damaged.read_bytes()[:-10])
    shutil.rmtree(found[NAME][0])
    again = harness_here("run", *options)
    assert again.returncode == 0 and "1 done before, 2 run, 0 failed" in again.stdout, again.stdout + again.stderr
    anew = load_predictions(found[NAME][0])
    np.testing.assert_array_equal(np.stack(anew["scores"]), both[0])


def test_it_is_blocked_where_a_member_fails(options, configs):
    append(configs, "model = dict(backbone=dict(type='NoSuchNet', _delete_=True))", DEPTH)
    done = harness_here("run", *options, "--retries", "0")
    assert done.returncode == 1 and "1 run, 1 failed, 1 blocked" in done.stdout.replace("2 run", "1 run"), done.stdout
    assert "blocked" in done.stdout and NAME in done.stdout
