"""The weights of profile demo that lie beside the configs: whole, small, and those of the networks that list them."""

import hashlib
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from harness import PACKAGED_CONFIGS
from harness.ledger.identity import canonical_json
from harness.measure.backbone_file import write_backbone
from harness.plan.resolve import resolve
from harness.suite import load_suite
from harness.suite.dotted import get_dotted
from mtcd_plugin.models.weights.starting_weights import load_weights

LARGEST = 20_000_000  # bytes, all of them together
BENCHMARK, ENTRIES = load_suite(PACKAGED_CONFIGS)
STARTS = [(e, s) for e in ENTRIES.values() for s in e.starts_at("demo") if s.packaged]
FILES = {s.file: s.path(PACKAGED_CONFIGS) for _, s in STARTS}


def test_no_file_is_missing_changed_or_left_over():
    for _, start in STARTS:
        found = hashlib.sha256(FILES[start.file].read_bytes()).hexdigest()
        assert start.sha256 == found, f"{start.file}: python -m harness models pretrain {Path(start.file).parts[1]}"
    assert set(FILES.values()) == set(PACKAGED_CONFIGS.glob("*/weights/*"))
    assert sum(path.stat().st_size for path in FILES.values()) <= LARGEST


@pytest.mark.parametrize("file", FILES)
def test_a_file_holds_a_backbone_in_half_precision_and_says_where_it_is_from(file):
    found = torch.load(FILES[file], weights_only=True)
    assert {v.dtype for v in found["state_dict"].values() if v.is_floating_point()} == {torch.float16}
    assert not any("cls_head" in name or name.startswith("backbone.") for name in found["state_dict"])
    meta = found["meta"]
    assert meta["synthetic"] is True and meta["data"] == "Source motions" and len(meta["run"]) == 64
    assert 3 / 48 < meta["top1"] <= 1 and meta["version"]  # three times chance: it has learned something


def test_every_network_that_lists_a_file_takes_all_of_it():
    """Each backbone once; networks of flow, and Transformer's of depth, alone have a first layer of other channels."""
    init_default_scope("mmaction")
    seen = set()
    for entry, start in STARTS:
        resolved = resolve(entry.config, "demo").config
        if not resolved.get("train_cfg"):
            continue
        config = get_dotted(resolved, start.into)
        if (known := (start.file, canonical_json(config))) in seen:
            continue
        seen.add(known)
        network = MODELS.build(config)
        report = load_weights(network, str(FILES[start.file]))
        assert report.backbone_loaded == report.backbone_total > 0, entry.name
        assert not report.left_out and not report.missing and not report.unexpected, (entry.name, report.line())
        fewer = "flow" in entry.name or (entry.name.startswith("transformer") and entry.test_modality == "depth")
        assert len(report.adapted) == fewer, (entry.name, report.line())
    assert len(seen) >= len(FILES)


def test_the_same_weights_make_the_same_file_wherever_it_lies(tmp_path):
    torch.save({"state_dict": {"backbone.w": torch.ones(2), "cls_head.w": torch.ones(1)}}, tmp_path / "c.pth")
    made = {write_backbone(tmp_path / "c.pth", tmp_path / name, {"top1": 0.5}) for name in ("a.pth", "other.pth")}
    assert len(made) == 1 and list(torch.load(tmp_path / "a.pth", weights_only=True)["state_dict"]) == ["w"]
