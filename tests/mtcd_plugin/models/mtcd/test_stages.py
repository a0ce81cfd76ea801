"""Every stage of MTCD by its own config, one after the other, on tiny data: what one writes, the next one reads."""

import copy

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner

from harness.plan.resolve import resolve

# the harness is used for its reading of profiles only
from harness.suite.dotted import set_dotted
from mtcd_plugin.formats.clip_store import ClipStore
from tests.mm_configs.test_mtcd_configs import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory, mgr_dark_root):
    base = tmp_path_factory.mktemp("data")
    (base / "mgr_dark").symlink_to(mgr_dark_root)
    rng = np.random.default_rng(0)
    for person in range(1, 5):
        for camera in (1, 2, 3, 6):
            folder = base / "sysu_mm01" / f"cam{camera}" / f"{person:04d}"
            folder.mkdir(parents=True)
            for number in range(2):
                image = rng.integers(0, 256, (32, 16, 3), dtype=np.uint8)
                cv2.imwrite(str(folder / f"{number + 1:04d}.jpg"), image)
    (base / "sysu_mm01" / "exp").mkdir()
    for name, people in dict(train_id="1,2", val_id="3", test_id="4").items():
        (base / "sysu_mm01" / "exp" / f"{name}.txt").write_text(people)
    return base


class Chain:
    """Runs stages at the smoke profile; outputs are kept by the name of the stage."""

    def __init__(self, root, folder):
        self.root, self.folder, self.outputs, self.runs = root, folder, {}, 0

    def run(self, name, seed=0, stage="", overrides=None, everybody=False):
        resolved = resolve(ROOT / f"{name}.py", "smoke", overrides)
        config = resolved.config
        if everybody:  # which no plan would do
            config["train_dataloader"]["dataset"]["split"] = "all"
        for parent, declared in resolved.parents.items():
            for key in declared["inject_at"]:
                config = set_dotted(config, key, self.outputs[parent])
        for split in ("train", "test"):
            if loader := config.get(f"{split}_dataloader"):
                loader["dataset"]["data_root"] = str(self.root / loader["dataset"]["data_root"].rsplit("/", 1)[1])
        for head in heads(config["model"]):
            head["num_classes"] = 3
        work = self.folder / f"{self.runs}-{name}"
        self.runs += 1
        for evaluator in config.get("test_evaluator") or []:
            if "output_dir" in evaluator:
                evaluator["output_dir"] = str(work / "store")
        config.update(work_dir=str(work), experiment_name=work.name, log_level="ERROR", randomness=dict(seed=seed))
        config["visualizer"] = dict(type="Visualizer", vis_backends=[])
        runner = Runner.from_cfg(Config(config, format_python_code=False))  # which takes longer than the training
        measured = {}
        if config.get("train_cfg"):
            runner.train()
        if config.get("test_cfg") and config.get("test_dataloader"):
            measured = runner.test()
        output = str(work / ("epoch_1.pth" if config.get("train_cfg") else "store"))
        self.outputs[stage or name] = output
        return output, measured, config


def heads(node):
    """Every classification head of a config."""
    if isinstance(node, dict):
        if "num_classes" in node:
            yield node
        for value in node.values():
            yield from heads(value)


def scores(network, data):
    return network.eval().test_step(copy.deepcopy(data))[0].pred_score


def accuracy(config, predict):
    """Share of the test clips that a network gets right, one clip at a time."""
    dataset = DATASETS.build(config["test_dataloader"]["dataset"])
    clips = [pseudo_collate([dataset[i]]) for i in range(len(dataset))]
    assert len(clips) == 3
    return sum(int(predict(c).argmax()) == int(c["data_samples"][0].gt_label) for c in clips) / len(clips)


def test_the_whole_chain(root, tmp_path):
    chain = Chain(root, tmp_path)
    chain.run("mtcd_encoder_sysu-mm01", seed=1, stage="rgb_encoder")
    chain.run("mtcd_encoder_sysu-mm01", seed=2, stage="ir_encoder")
    chain.run("mtcd_translator_sysu-mm01", stage="translator")
    chain.run("mtcd_translator_mgr-dark", stage="translator", overrides={"train_dataloader.sampler.by": "label"})
    store, measured, _ = chain.run("mtcd_pseudo-ir_mgr-dark", stage="pseudo_ir")
    assert {"pseudo_ir/flicker", "pseudo_ir/ir_distance"} <= set(measured)
    assert len(ClipStore.open(store).clip_ids) == 12 and not ClipStore.open(store).verify()
    teacher, measured, _ = chain.run("mtcd_teacher_mgr-dark-ir", stage="teacher")
    assert torch.load(teacher, weights_only=True)["meta"]["mtcd"]["train_subjects"] == ["s1", "s2", "s3"]
    chain.run("mtcd_assistant_mgr-dark-pseudo-ir", stage="assistant")
    for name in ("rgb", "depth"):
        student, measured, config = chain.run(f"mtcd_i3d-r50_mgr-dark-{name}")
        checkpoint = torch.load(student, weights_only=True)
        assert checkpoint["meta"]["mtcd"]["stage"] == "student"
        plain = MODELS.build(config["model"]["student"] | {"data_preprocessor": config["model"]["data_preprocessor"]})
        plain.load_state_dict(checkpoint["state_dict"], strict=True)
        assert measured["acc/top1"] == accuracy(config, lambda data, plain=plain: scores(plain, data))
    chain.run("mtcd_swin-tiny_mgr-dark-rgb")
    chain.run("mtcd_teacher-on-pseudo-ir_mgr-dark")
    chain.outputs["ir"] = chain.outputs["teacher"]
    rgb = {f"{split}_dataloader.dataset.modalities": ["rgb"] for split in ("train", "test")}
    chain.run("mtcd_teacher_mgr-dark-ir", stage="rgb", overrides=rgb)
    _, measured, config = chain.run("mtcd_late-fusion_mgr-dark")
    networks = {}
    for name, member in config["model"]["members"].items():
        networks[name] = MODELS.build(member["model"] | {"data_preprocessor": config["model"]["data_preprocessor"]})
        networks[name].load_state_dict(torch.load(chain.outputs[name], weights_only=True)["state_dict"])

    def both(data):
        return sum(scores(n, data | {"inputs": data["inputs"][m]}) for m, n in networks.items())

    assert measured["acc/top1"] == accuracy(config, both)
    store, _, _ = chain.run("mtcd_trivial-pseudo-ir_mgr-dark", overrides={"model.kind": "inverted"})
    assert len(ClipStore.open(store).clip_ids) == 12
    whole = {"train_dataloader.num_batch_per_epoch": None}
    chain.run("mtcd_teacher_mgr-dark-ir", stage="teacher", overrides=whole, everybody=True)
    with pytest.raises(ValueError, match="teachers.teacher.checkpoint was trained on test subject 's4'"):
        chain.run("mtcd_i3d-r50_mgr-dark-rgb")
