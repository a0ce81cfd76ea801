"""The interpretations on the protocol page: as the README and the configs have them, and as the runs really did."""

import inspect
import re
from pathlib import Path

import pytest
from mmaction.registry import MODELS

import mtcd_plugin.register  # noqa: F401
from harness.ledger.planfile import read_plan, write_plan
from harness.ledger.record import CellInfo
from harness.plan.resolve import resolve
from reports import build
from reports.views.protocol.interpretations import INTERPRETATIONS
from tests.helpers.fake_ledger import fake_record, save
from tests.helpers.fake_site import write
from tests.helpers.html_tree import parse

FOLDER = Path(__file__).resolve().parents[3] / "mm_configs" / "mtcd"
STAGES = {
    "encoder": "mtcd_encoder_sysu-mm01",
    "translator": "mtcd_translator_mgr-dark",
    "pseudo_ir": "mtcd_pseudo-ir_mgr-dark",
    "assistant": "mtcd_assistant_mgr-dark-pseudo-ir",
    "student": "mtcd_i3d-r50_mgr-dark-rgb",
}


def real_default(stage: str, key: str):
    """What a stage of the paper profile has for a key: from its config, or else from the class that reads it."""
    resolved = resolve(FOLDER / f"{STAGES[stage]}.py", "paper")
    if key.startswith("parents."):
        return Path(resolved.parents[key.removeprefix("parents.")]["config"]).stem
    node, kind = resolved.config, None
    for part in key.split("."):
        kind = node.get("type", kind)
        if part not in node:
            break
        node = node[part]
    else:
        return node
    name = key.rsplit(".", 1)[1]
    if name == "train":
        return False  # of a network that teaches: read with get
    return inspect.signature(MODELS.get(kind).__init__).parameters[name].default


@pytest.mark.parametrize(
    "setting", [s for r in INTERPRETATIONS for s in r.settings], ids=lambda s: f"{s.stage}:{s.key}"
)
def test_defaults_are_those_of_the_configs(setting):
    found = real_default(setting.stage, setting.key)
    assert (list(found) if isinstance(found, tuple) else found) == setting.default


def test_every_interpretation_of_the_readme_is_on_the_page():
    text = (FOLDER / "README.md").read_text().split("## Interpretations")[1].split("## ")[0]
    rows = [[c.strip() for c in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 12

    def numbers(where):
        found = re.findall(r"\d+\.\d+|\d+", where.replace("–", "-"))
        return "Table" in where, found

    known = [numbers(r.where) for r in INTERPRETATIONS]
    for row in rows:
        assert numbers(row[0]) in known, row[0]
        known.remove(numbers(row[0]))  # as many interpretations of an equation as the README has
    keys = {s.key.rsplit(".", 1)[1] for r in INTERPRETATIONS for s in r.settings}
    for row in rows:
        for option in re.findall(r"`([\w.<>]+)(?==|`)", " ".join(row[2:])):
            name = option.rsplit(".", 1)[-1]
            if "=" in " ".join(row[2:]).split(option, 1)[1][:1]:
                assert name in keys, f"{row[0]}: {option}"


def add_run(made, name, **config):
    """A run of a student with some parts of its config replaced, asked for by the plan."""
    info = CellInfo(
        model=name,
        method="M",
        stage="student",
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="demo",
    )
    record = fake_record(info)
    identity = record.identity.model_copy(update={"config": {**record.identity.config, **config}})
    record = save(made.work_dir, record.model_copy(update={"identity": identity, "metrics": None}), None)
    plan = read_plan(made.work_dir / "plan.json")
    own = plan.cells[0].model_copy(update={"id": name, "model": name, "key": record.key})
    write_plan(made.work_dir / "plan.json", plan.model_copy(update={"cells": [*plan.cells, own]}))


def test_a_config_of_odd_types_stops_no_page(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table4"])
    parts = ("model", "train_cfg", "optim_wrapper", "param_scheduler", "train_dataloader", "test_dataloader")
    for i, part in enumerate(parts):
        for kind, odd in {"list": [2], "word": "x", "number": 3}.items():
            add_run(made, f"odd_{i}_{kind}", **{part: odd})
    add_run(made, "odd_type", model={"type": ["x"], "kind": ["y"]})
    build(made.work_dir, made.site, made.benchmark, made.entries)
    assert parse(made.site / "protocol.html").text.count("not readable") >= len(parts) - 2  # no settings are of a model
    assert {p.name for p in (made.site / "runs").glob("odd_*")}, "each odd run has its page"


def test_the_page_reads_the_values_from_the_runs(tmp_path):
    made = write(tmp_path, seeds=1, tables=["table4"])
    model = {"type": "CrossModalDistiller", "alpha": 0.9, "beta": 0.7, "fusion": "sum", "projection": {"level": "time"}}
    add_run(made, "own_student", model=model)
    build(made.work_dir, made.site, made.benchmark, made.entries)
    page = parse(made.site / "protocol.html")
    said = {d.one("code").text: d.text for d in page.all("div", cls="setting")}
    assert "not the default" not in said["model.alpha"] and "0.9" in said["model.alpha"]
    differing = {d.one("code").text: d.text for d in page.all("div", cls="differs")}
    assert set(differing) == {"model.beta", "model.fusion"} and "0.7" in differing["model.beta"]
    assert "sum" in said["model.fusion"] and "time" in said["model.projection.level"]
    assert "no such stage has been run" in said["model.margin"]
