"""``plan --cost --device``: multiply-adds against PyTorch's own count of real steps, hours by hand, no data needed."""

import json
import re
from dataclasses import replace

import pytest
import yaml
from torch.utils.flop_counter import FlopCounterMode

from harness.cli import main
from harness.cli.plan import command
from harness.measure import hours as module
from harness.measure.amounts import NotKnown, amount_of, predicted_clips, trained_samples
from harness.measure.cards import card, card_of, cards
from harness.measure.counted import Operations, operations_of
from harness.measure.hours import Shares, compare, longest_chain, measured_shares, spent
from harness.measure.operations import predicting_operations, training_operations
from harness.measure.parts import batch, build, optimizer_of, quietly
from harness.measure.store_sizes import store_sizes
from harness.network.clips import evaluating, predict
from harness.network.cost import count_cost, plain_attention
from harness.plan.jobs import Settings
from harness.plan.outline import outline
from harness.plan.planner import make_plan
from harness.plan.resolve import resolve
from harness.suite import expand, load_suite
from tests.harness.conftest import CONFIGS, small_configs, tiny_data  # noqa: F401


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in args])
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


@pytest.fixture
def jobs(small_configs):  # noqa: F811
    benchmark, entries = load_suite(small_configs)
    return outline(expand(benchmark, entries, "paper"), entries, "paper")


@pytest.mark.parametrize("name", ["i3d/i3d_r50_mgr-dark-rgb", "mtcd/mtcd_translator_mgr-dark"])
def test_a_step_counted_on_shapes_is_what_a_real_step_does(name):
    """Of two clips: forward, backward and, for the translator, its generators and discriminators in turn."""
    config = resolve(CONFIGS / f"{name}.py", "smoke").config
    config["model"].pop("init_from", None)
    with quietly():
        counted = training_operations(config, "rgb")
        model = build(config).train()
        data, wrapper = batch(config, "train", "rgb", 2), optimizer_of(config, model)
        with FlopCounterMode(display=False) as counter:
            model.train_step(data, wrapper)
    assert counted == counter.get_total_flops() / 2 / 2 > 0


def test_a_frozen_teacher_counts_its_forward_pass_alone():
    """MTCD's student: three passes of the student, hardly more than one of each network that teaches."""
    config = resolve(CONFIGS / "mtcd" / "mtcd_i3d-r50_mgr-dark-rgb.py", "smoke").config
    with quietly():
        whole = training_operations(config, "rgb")
        for weight in ("alpha", "beta"):
            config["model"][weight] = 0.0
        student, forward = training_operations(config, "rgb"), predicting_operations(config, "rgb")
    assert 2 < student / forward < 3 and 1.5 < (whole - student) / forward < 2.5


def test_a_prediction_counts_as_on_the_cost_page():
    config = resolve(CONFIGS / "i3d" / "i3d_r50_mgr-dark-rgb.py", "smoke").config
    with quietly():
        model = build(config)
        assert predicting_operations(config, "rgb") == count_cost(model, (3, 16, 32, 32)).flops
        with evaluating(model), plain_attention(), FlopCounterMode(display=False) as counter:
            predict(model, batch(config, "test", "rgb", 1))
    assert counter.get_total_flops() / 2 == predicting_operations(config, "rgb")


def test_counts_are_remembered_until_the_network_changes(monkeypatch):
    config = resolve(CONFIGS / "i3d" / "i3d_r50_mgr-dark-rgb.py", "smoke").config
    first = operations_of(config, "rgb")
    monkeypatch.setattr("harness.measure.counted._count", lambda *_: Operations(1.0, 2.0))
    more_classes = {
        **config,
        "model": {**config["model"], "cls_head": {**config["model"]["cls_head"], "num_classes": 7}},
    }
    assert operations_of(config, "rgb") == operations_of(more_classes, "rgb") == first
    wider = {**config, "model": {**config["model"], "backbone": {**config["model"]["backbone"], "base_channels": 8}}}
    assert operations_of(wider, "rgb") == Operations(1.0, 2.0)


def test_an_outline_has_the_jobs_of_the_plan(small_configs, tiny_data):  # noqa: F811
    benchmark, entries = load_suite(small_configs)
    cells = expand(benchmark, entries, "smoke", seeds=2)
    plan = make_plan(cells, entries, Settings(small_configs, "smoke", tiny_data))
    assert [j.name for j in outline(cells, entries, "smoke").values()] == [j.name for j in plan.jobs.values()]


def test_the_outline_of_the_whole_paper_shares_stages_and_knows_their_tables():
    benchmark, entries = load_suite(CONFIGS)
    found = outline(expand(benchmark, entries, "paper"), entries, "paper")
    translators = [j for j in found.values() if j.entry.name == "mtcd_translator_sysu-mm01"]
    assert len(translators) == 1 and {"table2", "table3", "table4"} <= set(translators[0].tables)
    assert {j.seed for j in found.values() if j.entry.name == "mtcd_i3d-r50_mgr-dark-rgb"} == {0, 1, 2}
    assert all(p in found for j in found.values() for p in j.parents)


def test_clips_are_those_at_hand_or_those_that_are_published(jobs, mgr_dark_root):
    config = next(iter(jobs.values())).config
    assert trained_samples(config) == 80 * 3939 and predicted_clips(config) == 1231
    dataset = config["test_dataloader"]["dataset"]
    assert amount_of({**dataset, "split": "all", "lighting": "both"}).clips == 2 * 5170
    here = amount_of({**dataset, "data_root": str(mgr_dark_root)})
    assert 0 < here.clips < 100 and here.frames[0] == here.frames[1]
    with pytest.raises(NotKnown, match="SYSU-MM01: no number of clips is published.*--data-root"):
        amount_of({"type": "SYSUMM01Dataset", "data_root": "nowhere"})


def test_hours_are_operations_over_a_share_of_the_peak(jobs, monkeypatch):
    monkeypatch.setattr(module, "operations_of", lambda *_: Operations(90e9, 30e9))
    job = next(iter(jobs.values()))
    found = spent(job, card("h100"), Shares(0.25, "given"))
    operations = 90e9 * 80 * 3939 + 30e9 * 1231
    assert found.seconds == pytest.approx(2 * operations / (989e12 * 0.25))
    measured = Shares(0.25, "measured", {job.entry.name: 0.5})
    assert spent(job, card("h100"), measured).seconds == pytest.approx(found.seconds / 2)


def test_stages_follow_each_other(jobs):
    a, b = list(jobs.values())[:2]
    chain = {"a": replace(a, parents=()), "b": replace(b, parents=("a",)), "c": replace(b, parents=())}
    assert longest_chain(chain, {"a": 5.0, "b": 7.0, "c": 11.0}) == 12.0


def test_the_help_of_plan_names_every_card():
    (option,) = [o for o in command.params if o.name == "device"]
    assert all(re.search(rf"\b{key}\b(?!-)", option.help) for key in cards())


def test_cards_are_told_by_their_drivers_names():
    assert card_of("NVIDIA H100 80GB HBM3").id == "h100" and card_of("NVIDIA H100 PCIe").id == "h100-pcie"
    assert card_of("NVIDIA GeForce RTX 3090").id == "rtx3090" and card_of("none") is None
    assert all(c.source and 0 < c.fp32 < c.bf16 < 1000 for c in cards().values())


def test_stores_of_the_whole_of_mgr_dark_are_as_large_as_their_frames(jobs, tmp_path):
    configs = [j.config for j in jobs.values()]
    both = [{**c, "test_dataloader": {"dataset": _all_of(c["test_dataloader"]["dataset"])}} for c in configs[:1]]
    found = store_sizes(both, tmp_path / "not" / "there")
    low, high = (2 * 5170 * frames * 256 * 256 * 5 for frames in (45, 63))
    assert found.raw == (low, high) and 140 < low / 2**30 < 200 < high / 2**30 + 2
    assert found.free > 0 and replace(found, free=high + 2**30).codec == "raw"
    assert replace(found, free=high // 2).codec == "jpeg" and replace(found, free=2**30).codec == ""


def _all_of(dataset):
    return {**dataset, "modalities": ["rgb", "depth", "ir"], "lighting": "both"}


def test_a_ledger_is_compared_by_hardware(jobs, monkeypatch):
    monkeypatch.setattr(module, "operations_of", lambda *_: Operations(1e9, 0.0))
    total = 1e9 * 80 * 3939
    seconds = dict(zip(jobs, (100.0, 200.0, 400.0), strict=False))

    class Record:
        def __init__(self, s):
            self.hardware = {"gpu": "none", "cpu": "EPYC", "threads": "1"}
            self.cost = type("Cost", (), {"train_seconds": s})

    (found,) = compare(jobs.values(), lambda job: Record(seconds[job.key]) if job.key in seconds else None)
    assert found.hardware == "EPYC, 1 threads" and found.rate == pytest.approx(total / 200)
    assert sorted(found.ratios.values()) == pytest.approx([0.5, 1.0, 2.0])


def test_shares_that_were_measured_are_of_that_card(tmp_path):
    methods = [{"model": "a", "ours": {"share_of_peak": 0.1}}, {"model": "b", "ours": {"share_of_peak": 0.3}}]
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"gpu": "NVIDIA H100 80GB HBM3", "methods": methods}))
    found = measured_shares(path, card("h100"))
    assert found.of("b") == 0.3 and found.of("other") == pytest.approx(0.2) and "2 methods" in found.source
    with pytest.raises(ValueError, match="was measured on NVIDIA H100 80GB HBM3, not on --device a100"):
        measured_shares(path, card("a100"))


def test_the_command_needs_neither_data_nor_card(capsys, small_configs, tmp_path):  # noqa: F811
    suite = ["plan", "--cost", "--configs", small_configs, "--profile", "paper", "--work-dir", tmp_path / "w"]
    code, out, _ = run(capsys, *suite, "--device", "rtx3090", "--devices", 2, "--json")
    found = json.loads(out)
    assert code == 0 and found["share"] == 0.2 and found["share_from"] == "assumed" and len(found["jobs"]) == 6
    by_hand = 2 * sum(j["training_macs"] + j["predicting_macs"] for j in found["jobs"]) / (71e12 * 0.2) / 3600
    assert found["hours"] == pytest.approx(by_hand) and found["wall_hours"] == pytest.approx(by_hand / 2)
    assert set(found["seeds"]) == {"0", "1", "2"} and found["tables"] == {"table2": pytest.approx(by_hand)}
    code, out, _ = run(capsys, *suite, "--device", "h100", "--share", 0.4)
    assert code == 0 and "given by --share" in out and "clip store" in out and "as published" in out
    assert not (tmp_path / "w").exists()


def test_a_data_set_that_cannot_be_read_takes_its_own_jobs_with_it_alone(capsys, small_configs, tiny_data, tmp_path):  # noqa: F811
    path = small_configs / "i3d" / "i3d_r50_mgr-dark-depth.py"
    elsewhere = "dict(dataset=dict(data_root='data/part'))"
    path.write_text(path.read_text() + f"train_dataloader = {elsewhere}\ntest_dataloader = {elsewhere}\n")
    (tiny_data / "part").mkdir()
    suite = ["plan", "--cost", "--configs", small_configs, "--profile", "smoke", "--data-root", tiny_data]
    code, out, _ = run(capsys, *suite, "--work-dir", tmp_path / "w", "--device", "h100", "--seeds", 1)
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("unknown: ")]
    assert line.startswith("unknown: clip stores of part, i3d_r50_mgr-dark-depth-s0: ") and "part/classes.txt" in line
    assert "the stores above, without what is unknown of part: raw" in out and "for 1 job;" in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--device", "h1000"], "unknown card 'h1000' (near: h100"),
        (["--share", "0.3"], "name it with --device"),
        (["--device", "h100", "--probe"], "leave --probe, --list-cells, --cell and --quick out"),
        (["--device", "h100", "--quick"], "leave --probe, --list-cells, --cell and --quick out"),
        (["--device", "h100", "--quarantine", "mgr_dark=x"], "name their folder with --data-root"),
    ],
)
def test_what_makes_no_sense_is_one_line(capsys, small_configs, words, line):  # noqa: F811
    code, _, err = run(capsys, "plan", "--cost", "--configs", small_configs, "--profile", "paper", *words)
    assert code == 2 and err.count("\n") == 1 and line in err


def test_published_sizes_are_whole():
    found = yaml.safe_load((CONFIGS.parent / "harness" / "measure" / "published.yml").read_text())
    assert found["mgr_dark"]["train"] + found["mgr_dark"]["test"] == 5170, "of each modality and lighting"
    assert round(5170 * 16 / 21) == found["mgr_dark"]["train"]
