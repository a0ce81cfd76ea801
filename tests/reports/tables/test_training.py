"""Rate, schedule, epochs and start of the rows of an ablation, read from the records."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.ledger.planfile import PlannedCell
from harness.ledger.record import NO_START, CellInfo, Metrics, StartingWeights
from reports import format as f
from reports.ledger.ledger import Ledger
from reports.ledger.results import Result, Run
from reports.tables.method_cells import facets
from reports.tables.settings import settings, start_kind, started_from
from reports.tables.training import row_start, training_cell
from tests.helpers.fake_benchmark import fake_entries
from tests.helpers.fake_ledger import fake_record
from tests.helpers.html_tree import cell, parse


def result(*records):
    planned = PlannedCell.model_construct(id="x")
    return Result("x", tuple(Run(planned, "done", record=r) for r in records))


def done(lr=1e-3, pretrained=(), **config):
    info = CellInfo(
        model="m",
        method="M",
        stage="single",
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="demo",
    )
    record = fake_record(info)
    record.identity.config |= {"optim_wrapper": {"optimizer": {"type": "AdamW", "lr": lr}}, **config}
    record.pretrained = [StartingWeights.model_construct(file=file, sha256=64 * "a") for file in pretrained]
    record.metrics = Metrics(top1=0.5, top5=0.5, mean_class=0.5)
    return record


def test_rates_schedules_and_starts_that_differ_are_read_off():
    one = training_cell(result(done(), done()))
    assert one.text == "AdamW, 0.001" and one.sub == "OneCycleLR, 12 epochs; start: from scratch"
    other = training_cell(result(done(2e-3, ["weights/kinetics.pth"])))
    assert other.text == "AdamW, 0.002" and other.sub.endswith("start: kinetics.pth (aaaaaaaaaaaa)")
    assert training_cell(result(done(), done(2e-3))).text == "AdamW, 0.001 or AdamW, 0.002"
    assert training_cell(result(done(train_cfg=None))).text == "not trained"
    assert training_cell(None).title == "no run of it is done"


def test_a_gan_names_both_optimisers_and_no_schedule_is_a_constant_rate():
    networks = {
        "generator": {"optimizer": {"type": "Adam", "lr": 1e-3}},
        "discriminator": {"optimizer": {"type": "Adam", "lr": 5e-4}},
    }
    said = settings({"optim_wrapper": {"constructor": "Two", **networks}, "train_cfg": {"max_epochs": 1}})
    assert said["optimiser"].text == "generator Adam, 0.001; discriminator Adam, 0.0005"
    assert said["schedule"].text == "constant rate"
    assert settings({})["schedule"].text == f.DASH  # renders, and has no rate


SOUND = {
    "train_dataloader": {"batch_size": 4, "dataset": {"pipeline": [{"type": "SampleClipFrames", "clip_len": 8}]}},
    "train_cfg": {"max_epochs": 3},
    "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.01}},
    "param_scheduler": [{"type": "MultiStepLR", "milestones": [20], "gamma": 0.1}],
}
ODD = "not readable"


@pytest.mark.parametrize(
    ("part", "odd", "cell", "text"),
    [
        ("train_cfg", [2], "epochs", ODD),
        ("train_cfg", {"max_epochs": "3"}, "epochs", ODD),
        ("train_cfg", {"max_epochs": True}, "epochs", ODD),
        ("train_cfg", {"max_epochs": float("nan")}, "epochs", ODD),
        ("train_dataloader", "x", "batch", ODD),
        ("optim_wrapper", [2], "optimiser", ODD),
        ("optim_wrapper", {"optimizer": "SGD"}, "optimiser", ODD),
        ("optim_wrapper", {"optimizer": {"type": "SGD", "lr": "1e-3"}}, "optimiser", f"SGD, {ODD}"),
        (
            "optim_wrapper",
            {"a": {"optimizer": 3}, "b": {"optimizer": {"type": "A", "lr": 1}}},
            "optimiser",
            f"a {ODD}; b A, 1",
        ),
        ("param_scheduler", "cosine", "schedule", ODD),
        ("param_scheduler", [{"type": "MultiStepLR", "milestones": 20}], "schedule", f"× 0.1 at epoch {ODD}"),
        (
            "param_scheduler",
            {"type": "MultiStepLR", "milestones": [20], "gamma": "0.1"},
            "schedule",
            f"× {ODD} at epoch 20",
        ),
        ("param_scheduler", [3, {"type": "CosineAnnealingLR"}], "schedule", f"{ODD}, then CosineAnnealingLR"),
        ("param_scheduler", {"type": ["x"]}, "schedule", ODD),
    ],
)
def test_what_is_of_another_type_is_not_readable_and_the_rest_is_said(part, odd, cell, text):
    said = settings(SOUND | {part: odd})
    assert said[cell].text == text
    others = set(said) - ({"frames", "batch"} if part == "train_dataloader" else {cell})
    assert {name: said[name] for name in others} == {name: settings(SOUND)[name] for name in others}


def test_the_cell_of_a_row_says_what_is_not_readable():
    assert training_cell(result(done(train_cfg=[2]))).sub == f"OneCycleLR, epochs {ODD}; start: from scratch"


def test_a_row_that_was_asked_to_have_weights_and_had_none_says_so():
    one = done()

    def start():
        asked = Ledger.asked_for_weights.func(SimpleNamespace(shown_records=[one]))
        ledger = SimpleNamespace(asked_for_weights=asked, records={})
        board = SimpleNamespace(benchmark=SimpleNamespace(init={"demo": "scratch"}), profile="demo", ledger=ledger)
        return row_start(board, [result(one)])

    assert start() == ""  # nobody asked
    one.notes = [NO_START]
    assert start() == "start: from scratch"


def test_what_its_stages_trained_is_no_start_from_scratch():
    """As RAAR3DNet, whose backbone is a stage of its own: no file is listed in its record, yet it starts from one."""
    one = done(model={"backbone": {"init_from": None}})
    assert start_kind(one) == "scratch" and started_from(one) == "none: from scratch"
    one.identity.parents = {"ni3d": 64 * "b"}
    assert start_kind(one) == "stages" and started_from(one) == "weights of its stage ni3d"
    entry = fake_entries(Path("configs"))["plain_mgr-dark-rgb"]
    context = SimpleNamespace(result=lambda _: result(one), ledger=SimpleNamespace(records={}))
    assert facets(context, [entry])["Start"] == ("weights of its stages",)
    one.pretrained = done(pretrained=["kinetics.pth"]).pretrained
    assert start_kind(one) == "pretrained" and facets(context, [entry])["Start"] == ("pretrained",)


def test_what_trains_nothing_starts_from_what_its_stages_started_from():
    """As a fusion of two networks, which nobody trained from scratch because it trains none."""
    streams = {64 * c: (Path(c), done(pretrained=[f"{c}.pth"])) for c in "bc"}
    fused = done(train_cfg=None)
    fused.kind, fused.identity.parents = "render", {"rgb": 64 * "b", "flow": 64 * "c", "gone": 64 * "d"}
    again = done(train_cfg=None)
    again.kind, again.identity.parents = "render", {"fusion": 64 * "e"}
    records = {**streams, 64 * "e": (Path("e"), fused)}
    ledger = SimpleNamespace(shown_records=[r for _, r in records.values()], records=records)
    board = SimpleNamespace(benchmark=SimpleNamespace(init={"demo": "pretrained"}), profile="demo", ledger=ledger)
    board.result = lambda _: result(again)
    said = row_start(board, [result(again)])
    assert said == "start: b.pth (aaaaaaaaaaaa) or c.pth (aaaaaaaaaaaa)"
    assert started_from(again) == "trains nothing"
    entry = fake_entries(Path("configs"))["plain_mgr-dark-rgb"]
    assert facets(board, [entry])["Start"] == ("pretrained",)


def test_table_4_shows_them(fake):
    page = parse(fake.site / "table4.html")
    shown = cell(page, "table4", "Base row", "training").text
    assert "AdamW, 0.002" in shown and "OneCycleLR, 12 epochs" in shown and "from scratch" in shown
    assert "AdamW" not in cell(page, "table4", "Half row", "training").text  # it could not be planned
