"""The base of recognizers that read several modalities jointly."""

import mtcd_plugin.register  # noqa: F401  isort: skip
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner, load_checkpoint
from torch import nn
from torch.utils.data import DataLoader

from harness.network.cost import count_cost
from mtcd_plugin.models.epoch import current_epoch
from mtcd_plugin.models.recognizers.joint import JointRecognizer, top1

torch.set_num_threads(1)


class Sum(JointRecognizer):
    """Logits: a linear layer of each modality's mean over time and space, added up."""

    def __init__(self, modalities=("rgb", "depth"), **kwargs):
        super().__init__(modalities, **kwargs)
        self.fc = nn.ModuleDict({name: nn.Linear(3, 4) for name in modalities})

    def logits(self, clips):
        return sum(self.fc[name](x.mean(dim=(2, 3, 4))) for name, x in clips.items())

    def losses(self, clips, labels):
        scores = self.logits(clips)
        return {"loss_cls": F.cross_entropy(scores, labels), **top1(scores, labels)}


def batch(n=3, views=1):
    samples = [ActionDataSample().set_gt_label(i) for i in range(n)]
    return {name: torch.randn(n, views, 3, 2, 5, 5) for name in ("depth", "rgb")}, samples


def test_probabilities_are_the_mean_over_the_views():
    model, (inputs, samples) = Sum(), batch(views=2)
    model(inputs, samples, mode="predict")
    for i, sample in enumerate(samples):
        each = [model({m: x[i : i + 1, v : v + 1] for m, x in inputs.items()}) for v in range(2)]
        expected = torch.stack([e[0].softmax(0) for e in each]).mean(0)
        torch.testing.assert_close(sample.pred_score, expected)
        assert sample.pred_label.tolist() == [expected.argmax()]


def test_every_view_has_its_clips_label():
    model, (inputs, samples) = Sum(), batch(views=2)
    losses = model(inputs, samples, mode="loss")
    logits = model(inputs).unflatten(0, (3, 2))
    expected = torch.stack([F.cross_entropy(logits[:, v], torch.arange(3)) for v in range(2)]).mean()
    torch.testing.assert_close(losses["loss_cls"], expected)
    right = (logits.argmax(2) == torch.arange(3)[:, None]).float().mean()
    torch.testing.assert_close(losses["top1_acc"], right)


def test_a_training_step_changes_the_weights_of_every_modality():
    model = Sum(data_preprocessor=dict(type="mmaction.ClipDataPreprocessor"))
    before = {name: p.clone() for name, p in model.named_parameters()}
    clips = {
        m: [torch.randint(0, 255, (1, c, 2, 5, 5)).byte() for _ in range(3)] for m, c in (("rgb", 3), ("depth", 1))
    }
    data = {"inputs": clips, "data_samples": batch()[1]}
    log = model.train_step(data, OptimWrapper(torch.optim.SGD(model.parameters(), lr=1.0)))
    assert set(log) == {"loss", "loss_cls", "top1_acc"}
    assert all(not torch.equal(before[name], p) for name, p in model.named_parameters() if "weight" in name)


def test_the_cost_is_that_of_all_modalities():
    model = Sum(data_preprocessor=dict(type="mmaction.ClipDataPreprocessor"))
    assert count_cost(model, {"rgb": (3, 2, 5, 5), "depth": (1, 2, 5, 5)}) == (2 * 16, 2 * 12)


@pytest.mark.parametrize(
    ("gone", "message"),
    [("depth", "Sum needs 'depth'; the data give rgb"), ("rgb", "Sum needs 'rgb'; the data give depth")],
)
def test_a_missing_modality_is_one_line(gone, message):
    inputs, samples = batch()
    del inputs[gone]
    with pytest.raises(ValueError, match=message):
        Sum()(inputs, samples, mode="loss")


def test_one_tensor_and_wrong_modalities_are_one_line():
    with pytest.raises(ValueError, match=r"Sum reads rgb and depth; .* set dataset.modalities=\['rgb', 'depth'\]"):
        Sum()(torch.randn(1, 1, 3, 2, 5, 5))
    for wrong in (["rgb"], ["rgb", "rgb"]):
        with pytest.raises(ValueError, match="two or more, each once"):
            Sum(wrong)
    with pytest.raises(RuntimeError, match='Invalid mode "train"'):
        Sum()(*batch(), mode="train")


def test_nothing_trained_is_epoch_0():
    MessageHub.get_instance("nothing trained yet")
    assert current_epoch() == 0


class Noting(Sum):
    epochs: ClassVar[list] = []

    def losses(self, clips, labels):
        self.epochs.append(current_epoch())
        return super().losses(clips, labels)


def test_the_epoch_goes_on_where_a_training_is_resumed(tmp_path):
    MODELS.register_module(module=Noting, force=True)
    inputs, samples = batch()
    clips = [{"inputs": {m: x[i] for m, x in inputs.items()}, "data_samples": samples[i]} for i in range(3)]

    def train(epochs, resume=None):
        Noting.epochs.clear()
        runner = Runner(
            dict(type="Noting", data_preprocessor=dict(type="mmaction.ClipDataPreprocessor")),
            str(tmp_path),
            train_dataloader=DataLoader(clips, 3, sampler=DefaultSampler(clips), collate_fn=pseudo_collate),
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.1)),
            default_hooks=dict(
                checkpoint=dict(type="CheckpointHook"), plain_checkpoint=dict(type="PlainCheckpointHook")
            ),
            load_from=resume,
            resume=resume is not None,
            default_scope="mmaction",
            log_level="ERROR",
            visualizer=dict(type="Visualizer", vis_backends=[]),
            experiment_name=f"{tmp_path.name}-{epochs}",
        )
        runner.train()
        return list(Noting.epochs)

    assert train(2) == [0, 1]
    assert train(4, str(tmp_path / "epoch_2.pth")) == [2, 3]


def test_a_checkpoint_of_another_network_is_an_error(tmp_path):
    """MMEngine alone would log what is missing, and test random weights."""
    model, other = Sum(), Sum()
    torch.save({"state_dict": other.state_dict()}, tmp_path / "whole.pth")
    load_checkpoint(model, str(tmp_path / "whole.pth"))
    assert torch.equal(model.fc["rgb"].weight, other.fc["rgb"].weight)
    torch.save({"state_dict": {f"streams.{k}": v for k, v in other.state_dict().items()}}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="the checkpoint is not of this Sum: it lacks"):
        load_checkpoint(model, str(tmp_path / "other.pth"))
