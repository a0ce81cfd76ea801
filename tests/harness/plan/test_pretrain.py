"""``models pretrain``: what is trained on what, and which file is written."""

import re
from pathlib import Path

import pytest
import yaml

from harness import PACKAGED_CONFIGS
from harness.cli import main
from harness.errors import BadUsage
from harness.plan.pretrain import networks, source_cell, with_sha256
from harness.plan.resolve import resolve
from harness.suite import load_suite
from tests.harness.data.test_synthesize_source import root  # noqa: F401  a fixture


@pytest.fixture(scope="module")
def packaged():
    return load_suite(PACKAGED_CONFIGS)[1]


def test_every_file_that_a_metafile_lists_is_made_by_one_network_of_its_folder(packaged):
    listed = {s.file for e in packaged.values() for s in e.starts_at("demo") if s.packaged}
    made = networks(packaged.values(), "demo")
    assert {n.file for n in made} == listed and all(n.entry.config.parent.name == n.folder for n in made)
    assert [n.entry.name for n in networks(packaged.values(), "demo", ["i3d"])] == ["i3d_r50_mgr-dark-rgb"]
    with pytest.raises(BadUsage, match="unknown method of one network 'i3' .near: i3d.; choose"):
        networks(packaged.values(), "demo", ["i3"])


def test_a_method_that_lists_no_weights_can_be_trained_for_them(packaged):
    (found,) = networks(packaged.values(), "smoke", ["tsn"])
    assert not found.listed and found.entry.name == "tsn_r50_mgr-dark-rgb" and not networks(packaged.values(), "smoke")
    assert (found.file, found.path.parent.parent.name) == ("mm_configs/tsn/weights/source-motions_tsn.pth", "tsn")


def test_the_network_is_that_of_the_profile_in_all_but_its_class_layer(packaged):
    for network in networks(packaged.values(), "demo"):
        plain = resolve(network.entry.config, "demo").config
        cell = source_cell(network, "demo", 48)
        made = resolve(network.entry.config, "demo", cell.overrides).config
        assert made["model"] | {"cls_head": 0} == plain["model"] | {"cls_head": 0}
        assert made["model"]["cls_head"] == plain["model"]["cls_head"] | {"num_classes": 48}
        assert made["optim_wrapper"] == plain["optim_wrapper"]
        for loader, split in (("train_dataloader", "train"), ("test_dataloader", "test")):
            shown = made[loader]["dataset"]
            assert (shown["type"], shown["split"], shown["modalities"]) == ("SourceMotionsDataset", split, ["rgb"])
            assert shown["pipeline"] == plain[loader]["dataset"]["pipeline"] and "lighting" not in shown


def test_the_sha256_goes_where_the_file_is_listed_and_nowhere_else():
    text = (
        '- File: a/b.pth\n  SHA256: ""\n- File: a/bb.pth\n  SHA256: "12"\n- Into: x\n  File: a/b.pth\n  SHA256: "34"\n'
    )
    assert with_sha256(text, "a/b.pth", "56") == text.replace('""', '"56"').replace('"34"', '"56"')


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in args])
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


def test_the_command_trains_writes_and_lists_what_a_run_then_starts_from(
    capsys,
    small_configs,
    tiny_data,
    root,  # noqa: F811
    tmp_path,
):
    (tiny_data / "source_motions").symlink_to(root)
    metafile = small_configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(metafile.read_text())
    start = {"Profile": "smoke", "File": "configs/i3d/weights/own.pth", "SHA256": "", "Into": "model.backbone"}
    meta["Collections"][0]["Starting Weights"] = [start]
    metafile.write_text(yaml.safe_dump(meta, sort_keys=False).replace("SHA256: ''", 'SHA256: ""'))
    suite = ["--configs", small_configs, "--data-root", tiny_data, "--profile", "smoke"]
    plan = ["plan", *suite, "--seeds", "1", "--init", "pretrained"]
    code, _, err = run(capsys, *plan)
    assert (
        code == 1 and "make it with `python -m harness models pretrain i3d`, or train from nothing with --init" in err
    )
    code, out, err = run(capsys, "models", "pretrain", "i3d", *suite, "--work-dir", tmp_path / "work", "--jobs", "1")
    assert code == 0, err
    file = Path(small_configs / "i3d" / "weights" / "own.pth")
    (sha256,) = re.findall(r'SHA256: "([0-9a-f]{64})"', out)
    assert f'SHA256: "{sha256}"' in metafile.read_text() and "on held-out people of the synthetic source set" in out
    code, _, err = run(capsys, *plan)
    assert code == 0, err
    file.write_bytes(file.read_bytes()[:-1])
    code, _, err = run(capsys, *plan)
    assert code == 1 and "whose content is not what metafile.yml says" in err and "models pretrain i3d" in err
