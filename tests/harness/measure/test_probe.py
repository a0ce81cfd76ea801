"""``plan --cost --probe``: the arithmetic against numbers worked out by hand, and real steps of a small suite."""

import json
from dataclasses import replace

import pytest

from harness.measure import probe as module
from harness.measure.probe import probe
from harness.plan.jobs import Settings
from harness.plan.planner import make_plan
from harness.suite import Cell, load_benchmark, load_entries
from tests.harness.conftest import small_configs, tiny_data  # noqa: F401


@pytest.fixture
def plan(small_configs, tiny_data):  # noqa: F811
    entries = load_entries(small_configs, load_benchmark(small_configs / "benchmark.yml"))
    cells = [Cell(entries["i3d_r50_mgr-dark-rgb"], seed=s) for s in (0, 1)]
    return make_plan(cells, entries, Settings(small_configs, "smoke", tiny_data))


def changed(job, **config):
    return replace(job, config={**job.config, **config})


def test_seconds_are_steps_times_batch_and_test_clips_times_a_clip(plan, monkeypatch):
    """A probed call of two clips takes one second here: half a second a clip. Smoke: 1 epoch of 2 batches of 4."""
    monkeypatch.setattr(module, "_second", lambda run, device: 1.0)
    key, job = next(iter(plan.jobs.items()))
    assert probe([key], plan.jobs) == {key: 0.5 * (1 * 2 * 4 + job.data.test_clips)}


def test_seeds_of_a_model_are_measured_once(plan, monkeypatch):
    calls = []
    monkeypatch.setattr(module, "_second", lambda run, device: calls.append(1) or 1.0)
    assert len(probe(list(plan.jobs), plan.jobs)) == 2 and len(calls) == 2, "one training step, one prediction"


@pytest.mark.parametrize(
    ("loader", "train", "expected"),
    [
        ({"batch_size": 4}, {"max_epochs": 3}, 3 * 3),  # 9 clips: 3 batches, the last one smaller
        ({"batch_size": 4, "num_batch_per_epoch": 2}, {"max_epochs": 3}, 6),
        ({"batch_size": 4, "sampler": {"batches": 5}}, {"max_epochs": 2}, 10),
        ({"batch_size": 4}, {"max_iters": 7}, 7),
    ],
)
def test_steps_of_a_run(plan, loader, train, expected):
    job = next(iter(plan.jobs.values()))
    job = replace(job, data=job.data.model_copy(update={"train_clips": 9}))
    assert module.steps({"train_dataloader": loader, "train_cfg": train}, job) == expected


def test_whole_clips_are_counted_by_their_frames(plan):
    job = next(iter(plan.jobs.values()))
    clips = module.dataset_clips(job.config["test_dataloader"]["dataset"])[1]
    frames = sum(c.streams["rgb"].end - c.streams["rgb"].start for c in clips)
    dataset = {**job.config["test_dataloader"]["dataset"], "pipeline": [{"clip_len": None}]}
    whole = {"test_dataloader": {"dataset": dataset}}
    assert module.tested(whole, job) * module.WHOLE_CLIP >= frames > 0


def test_a_second_is_of_the_second_call():
    calls = []
    assert module._second(lambda: calls.append(1), module.torch.device("cpu")) >= 0 and len(calls) == 2


def test_plan_says_what_was_probed_and_what_history_knows(small_configs, tiny_data, tmp_path, capsys):  # noqa: F811
    from harness.bench.made_up import finish
    from harness.cli import main
    from harness.plan.workspace import open_workspace

    work = tmp_path / "work é"
    work.mkdir()
    ws = open_workspace(small_configs, "smoke", tiny_data, None, None)
    known = next(j for j in ws.needed().values() if j.cell.test_modality == "depth")
    finish([known], work)
    common = ["--configs", str(small_configs), "--data-root", str(tiny_data), "--work-dir", str(work)]
    common += ["--profile", "smoke", "--seeds", "2"]

    def run(*options):
        with pytest.raises(SystemExit) as stop:
            main(["plan", *common, *options])
        assert not stop.value.code
        return capsys.readouterr().out

    said = run("--cost")
    assert said.count("unknown") == 2 and "2 jobs of models that never ran" in said and "--probe times them" in said
    said = run("--cost", "--probe")
    assert said.count("(probed)") == 2 and "2 of them probed (without data loading)" in said and "unknown" not in said
    jobs = json.loads(run("--probe", "--json"))["jobs"]
    assert sorted(j.get("seconds_from", j["state"]) for j in jobs) == ["done", "history", "probe", "probe"]
    assert all(j["seconds"] > 0 for j in jobs if "seconds" in j)
