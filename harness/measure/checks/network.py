"""What the network of an entry can do: predict, learn, be saved and go on."""

from __future__ import annotations

import contextlib
import copy
import io
import math
import tempfile
from pathlib import Path
from typing import Any

import mtcd_plugin.register  # noqa: F401  isort: skip  (its shims come before MMAction2)
import torch
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from harness.measure.checks.declared import PROFILES, CheckFailed, EntryUnderCheck
from harness.measure.parts import batch, build, construct, optimizer_of, shapes, wrapper_of
from harness.network.clips import evaluating, pattern_batch
from harness.network.cost import count_cost, predicting_network
from harness.plan.resolve import resolve
from harness.worker.hooks import ExactResumeHook
from mtcd_plugin.formats.checkpoint_errors import one_line
from mtcd_plugin.formats.clips import CHANNELS, RENDERED_FROM

OVERFIT_STEPS = 300
RATES = (
    1e-3,
    1e-2,
)  # of overfitting, first and last: a tenth more at each step, so that what learns slowly soon learns fast
EPOCHS, CLIPS = 3, 8  # of the training that is resumed, after all but the last epoch: two batches an epoch
LEARNT = 0.5 * math.log(2)  # a loss that takes more than knowing how often each of two classes comes


def builds(s: EntryUnderCheck) -> None:
    s.config = s.weights.fill(s.entry, resolve(s.entry.config, "smoke"))
    s.model = build(s.config)


def builds_elsewhere(s: EntryUnderCheck) -> None:
    """At the other profiles the network can be built, and at the laptop's it predicts: its parts fit together."""
    for profile in PROFILES:
        if profile == "smoke":
            continue
        resolved = resolve(s.entry.config, profile)
        predicts = profile == "demo" and s.entry.classifies
        try:
            config = s.weights.at(profile).fill(s.entry, resolved) if predicts else resolved.config
            model = construct(config, empty=profile == "paper")
            if predicts:
                _check_scores(_scores(model, batch(config, "test", s.entry.test_modality, 1)), config)
        except Exception as e:
            raise CheckFailed(
                f"at profile {profile}: {one_line(e)}; fix `model`, or give what is to be otherwise there: "
                f"profiles = dict({profile}=dict(model=...))"
            ) from e


def is_counted(s: EntryUnderCheck) -> None:
    cost = count_cost(s.model, shapes(s.config, "test", s.entry.test_modality))
    if cost.params <= 0 or cost.flops <= 0:
        raise CheckFailed(
            f"counted {cost.params} parameters and {cost.flops} multiply-adds; does the model predict through forward?"
        )


def trains_a_step(s: EntryUnderCheck) -> None:
    """Gradients reach the network that predicts, and one step with the entry's own optimizer goes through."""
    model = s.model.train()
    clips = s.batch("train", 4)
    if type(model).train_step is BaseModel.train_step:
        losses = _losses(model, clips)
        total, _ = model.parse_losses(losses)
        for name, value in losses.items():
            if not torch.isfinite(torch.as_tensor(value)).all():
                raise CheckFailed(f"{name} of a random batch is not finite; check initialisation and input scale")
        if total.requires_grad:
            total.backward()
        network = predicting_network(model)
        if not any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in network.parameters()):
            raise CheckFailed("no parameter got a gradient; is everything frozen or detached?")
        model.zero_grad(set_to_none=True)
    log = model.train_step(clips, optimizer_of(s.config, model))
    for name, value in log.items():
        if not torch.isfinite(torch.as_tensor(value)).all():
            raise CheckFailed(f"{name} of a training step is not finite; check initialisation and input scale")


def _losses(model: BaseModel, clips: dict) -> dict[str, torch.Tensor]:
    losses = model(**model.data_preprocessor(copy.deepcopy(clips), True), mode="loss")
    if not any("loss" in name for name in losses):
        raise CheckFailed(f"mode='loss' returns {', '.join(losses)}; name at least one term loss_...")
    return losses


def _scores(model: BaseModel, clips: dict) -> torch.Tensor:
    with evaluating(model), torch.no_grad():
        samples = model(**model.data_preprocessor(copy.deepcopy(clips), False), mode="predict")
    return torch.stack([x.pred_score for x in samples])


def predicts_one(s: EntryUnderCheck) -> None:
    _check_scores(_scores(s.model, s.batch("test", 1)), s.config)


def _check_scores(scores: torch.Tensor, config: dict[str, Any]) -> None:
    classes = config["model"].get("student", config["model"]).get("cls_head", {}).get("num_classes")
    if scores.ndim != 2 or scores.shape[0] != 1 or (classes and scores.shape[1] != classes):
        raise CheckFailed(
            f"a batch of one gives scores of shape {tuple(scores.shape)}, needed is (1, {classes or 'classes'}); "
            "keep the axis of clips when squeezing"
        )
    if not torch.isfinite(scores).all():
        raise CheckFailed("scores are not finite; check initialisation and divisions by a variance over one clip")


def renders(s: EntryUnderCheck) -> None:
    clips = s.batch("test", 1)
    rgb = clips["inputs"]["rgb"] if isinstance(clips["inputs"], dict) else clips["inputs"]
    with evaluating(s.model), torch.no_grad():
        sample = s.model(**s.model.data_preprocessor(clips, False), mode="predict")[0]
    name = next((name for name in RENDERED_FROM if sample.get(name) is not None), None)
    if name is None:
        raise CheckFailed(f"a rendering must give each sample's {' or '.join(RENDERED_FROM)}; it gives none")
    got, needed = sample.get(name), (1, CHANNELS.get(name, 1), *rgb[0].shape[2:])
    if got.dtype != torch.uint8 or tuple(got.shape) != needed:
        shape = f"{got.dtype} {tuple(got.shape)}"
        raise CheckFailed(f"a rendering must give each sample's {name}, uint8 {needed}; it gives {shape}")


def saves_and_loads(s: EntryUnderCheck) -> None:
    other = build(s.config, seed=1)
    predicting_network(other).load_state_dict(_through_file(predicting_network(s.model).state_dict()))
    clips = s.batch("test", 2)
    if not torch.equal(_scores(s.model, clips), _scores(other, clips)):
        raise CheckFailed(
            "a saved and loaded model predicts otherwise; keep all state in parameters "
            "and buffers, and draw nothing in eval mode"
        )


def _through_file(state: Any) -> Any:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def resumes(s: EntryUnderCheck) -> None:
    """Trains for three epochs by the entry's own hooks, and again from the checkpoint after the second."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        straight = _trained(s, Path(folder) / "straight")
        resumed = _trained(s, Path(folder) / "resumed", Path(folder) / "straight" / f"epoch_{EPOCHS - 1}.pth")
    for (name, a), b in zip(straight.items(), resumed.values(), strict=True):
        if not torch.equal(a, b):
            raise CheckFailed(
                f"after a resume '{name}' differs from an uninterrupted training; keep its state in a parameter or "
                "buffer, or give the model training_state() and load_training_state()"
            )


def _trained(s: EntryUnderCheck, folder: Path, resume_from: Path | None = None) -> dict[str, torch.Tensor]:
    """The state of the entry's model after its epochs on a few random clips."""
    clips = s.batch("train", CLIPS)
    inputs = clips["inputs"]
    if isinstance(inputs, dict):
        inputs = [dict(zip(inputs, views, strict=True)) for views in zip(*inputs.values(), strict=True)]
    samples: Any = [{"inputs": x, "data_samples": d} for x, d in zip(inputs, clips["data_samples"], strict=True)]
    loader: DataLoader = DataLoader(
        samples, CLIPS // 2, sampler=DefaultSampler(samples, seed=0), collate_fn=pseudo_collate
    )
    checkpoint = {"type": "CheckpointHook", "interval": EPOCHS - 1, "save_last": False}
    config = copy.deepcopy(s.config)
    runner = Runner(
        config["model"],
        str(folder),
        train_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": EPOCHS},
        optim_wrapper=wrapper_of(config),
        param_scheduler=config.get("param_scheduler"),
        default_hooks={**config.get("default_hooks", {}), "checkpoint": checkpoint},
        custom_hooks=config.get("custom_hooks"),
        load_from=str(resume_from) if resume_from else None,
        resume=resume_from is not None,
        default_scope=config.get("default_scope", "mmaction"),
        randomness={"seed": 0},
        log_level="ERROR",
        visualizer={"type": "Visualizer", "vis_backends": []},
        experiment_name=f"{s.entry.name}-{folder.parent.name}-{folder.name}",
    )
    runner.register_hook(ExactResumeHook(), priority="HIGHEST")
    runner.train()
    return runner.model.state_dict()


def overfits(s: EntryUnderCheck) -> None:
    model = build(s.config).train()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.p = 0.0
        if hasattr(module, "label_smooth_eps"):  # of MMAction2's heads; a smoothed loss has a least value above 0
            module.label_smooth_eps = 0.0
        if hasattr(module, "mixing"):  # of recognizers that mix the clips of a batch
            module.mixing = None
    clips = s.batch("train", 4, pattern_batch)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad])
    first = last = None
    for step in range(OVERFIT_STEPS):
        optimizer.param_groups[0]["lr"] = min(RATES[0] * 1.1**step, RATES[1])
        optimizer.zero_grad()
        losses = _losses(model, clips)
        total, log = model.parse_losses(losses)
        last = log.get("loss_cls", log["loss"]).item()
        first = last if first is None else first
        if last < LEARNT:
            return
        total.backward()
        optimizer.step()
    raise CheckFailed(
        f"after {OVERFIT_STEPS} steps on one batch of 4 clips of 2 classes the loss went from {first:.2f} to "
        f"{last:.2f}, not below {LEARNT:.2f}; are labels and logits tied together, does the gradient reach the "
        "backbone?"
    )
