"""``models check``: is a model entry sound? At the smoke profile, on random clips, without any data set."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import init_default_scope

from harness.measure.clips import evaluating, random_batch
from harness.measure.cost import count_cost, predicting_network
from harness.measure.entries import clip_shape_of
from harness.plan.resolve import Resolved, resolve
from harness.suite import Entry

OVERFIT_STEPS = 80
PROFILES = ("smoke", "demo", "paper")
RECOGNIZERS = ("single", "teacher", "assistant", "student")


@dataclass(frozen=True)
class Finding:
    """One check of one entry; ``remedy`` says what to change where it failed."""

    entry: str
    what: str
    ok: bool
    remedy: str = ""


class Wrong(Exception):
    """A check that failed; the message is what to change."""


def check_entries(chosen: Iterable[Entry], entries: dict[str, Entry]) -> Iterator[Finding]:
    """Every check of every chosen entry, in order. A failed check of an entry ends its own list, not the others'."""
    import mtcd_plugin.register  # noqa: F401

    init_default_scope("mmaction")
    paths = {e.config.resolve() for e in entries.values()}
    for entry in chosen:
        yield from _check(entry, paths)


def _check(entry: Entry, paths: set[Path]) -> Iterator[Finding]:
    state: dict[str, Any] = {}
    for what, run in _checks(entry, paths, state):
        try:
            run()
        except Wrong as e:
            yield Finding(entry.name, what, False, str(e))
            return
        except Exception as e:  # whatever an entry's code raises is a finding about it
            yield Finding(entry.name, what, False, f"{type(e).__name__}: {' '.join(str(e).split())}"[:300])
            return
        yield Finding(entry.name, what, True)


def _checks(entry: Entry, paths: set[Path], state: dict[str, Any]) -> list[tuple[str, Callable[[], None]]]:
    checks = [
        ("metafile is complete", lambda: _metafile(entry)),
        ("config resolves at every profile", lambda: state.update(resolved=_resolves(entry, paths))),
        ("uses the modalities it declares", lambda: _modalities(entry, state["resolved"].config)),
        ("builds", lambda: state.update(model=_build(state["resolved"].config))),
    ]
    if entry.stage in RECOGNIZERS:
        checks += [
            ("parameters and FLOPs are counted", lambda: _cost(entry, state)),
            ("one batch goes forward and backward", lambda: _step(entry, state)),
            ("predicts a batch of one", lambda: _one(entry, state)),
            ("saves, loads and predicts the same", lambda: _reload(entry, state)),
            ("resumes to the same weights", lambda: _resume(entry, state)),
            ("overfits one small batch", lambda: _overfit(entry, state)),
        ]
    return checks


def _metafile(entry: Entry) -> None:
    for field in ("Title", "URL"):
        if not entry.paper.get(field):
            raise Wrong(f"give Collections[].Paper.{field} in {entry.config.parent / 'metafile.yml'}")


def _resolves(entry: Entry, paths: set[Path]) -> Resolved:
    found = {p: resolve(entry.config, p) for p in PROFILES}
    for stage, parent in found["smoke"].parents.items():
        path = (entry.config.parent / parent["config"]).resolve()
        if path not in paths:
            raise Wrong(f"parents.{stage}.config {parent['config']} is not listed in a metafile.yml")
    return found["smoke"]


def _modalities(entry: Entry, config: dict[str, Any]) -> None:
    for split, declared in (("train", entry.train_modalities), ("test", (entry.test_modality,))):
        loader = config.get(f"{split}_dataloader") or {}
        used = set(loader.get("dataset", {}).get("modalities") or declared)
        if entry.stage in RECOGNIZERS and not used <= {*declared, "pseudo_ir"}:   # rendered from what is declared
            raise Wrong(
                f"{split}_dataloader reads {', '.join(sorted(used))}, the metafile declares {', '.join(declared)}"
            )


def _build(config: dict[str, Any]) -> torch.nn.Module:
    from mmaction.registry import MODELS

    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(config["model"]))


def _shapes(entry: Entry, config: dict[str, Any], split: str) -> Any:
    modalities = (config.get(f"{split}_dataloader") or {}).get("dataset", {}).get("modalities") or [
        entry.test_modality
    ]
    shapes = {m: clip_shape_of(config, m) for m in modalities}
    return shapes if len(shapes) > 1 else next(iter(shapes.values()))


def _batch(entry: Entry, state: dict[str, Any], size: int, split: str = "train") -> dict:
    batch = random_batch(_shapes(entry, state["resolved"].config, split), size)
    for i, sample in enumerate(batch["data_samples"]):
        sample.set_gt_label(i % 2)
    return batch


def _cost(entry: Entry, state: dict[str, Any]) -> None:
    cost = count_cost(state["model"], _shapes(entry, state["resolved"].config, "test"))
    if cost.params <= 0 or cost.flops <= 0:
        raise Wrong(
            f"counted {cost.params} parameters and {cost.flops} multiply-adds; does the model predict through forward?"
        )


def _losses(model: torch.nn.Module, batch: dict) -> torch.Tensor:
    losses = model(**model.data_preprocessor(copy.deepcopy(batch), True), mode="loss")
    terms = [v.mean() for k, v in losses.items() if "loss" in k]
    if not terms:
        raise Wrong(f"mode='loss' returns {', '.join(losses)}; name at least one term loss_...")
    return sum(terms)


def _step(entry: Entry, state: dict[str, Any]) -> None:
    model = state["model"].train()
    loss = _losses(model, _batch(entry, state, 2))
    if not torch.isfinite(loss):
        raise Wrong(f"the loss of a random batch is {float(loss)}; check initialisation and input scale")
    loss.backward()
    trained = [p for p in predicting_network(model).parameters() if p.requires_grad]
    if not any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in trained):
        raise Wrong("no parameter got a gradient; is everything frozen or detached?")
    model.zero_grad(set_to_none=True)


def _scores(model: torch.nn.Module, batch: dict) -> torch.Tensor:
    with evaluating(model), torch.no_grad():
        samples = model(**model.data_preprocessor(copy.deepcopy(batch), False), mode="predict")
    return torch.stack([s.pred_score for s in samples])


def _one(entry: Entry, state: dict[str, Any]) -> None:
    config = state["resolved"].config
    scores = _scores(state["model"], _batch(entry, state, 1, "test"))
    classes = _classes(config)
    if scores.ndim != 2 or scores.shape[0] != 1 or (classes and scores.shape[1] != classes):
        raise Wrong(
            f"a batch of one gives scores of shape {tuple(scores.shape)}; (1, {classes or 'classes'}) is needed"
        )
    if not torch.isfinite(scores).all():
        raise Wrong("scores are not finite")


def _classes(config: dict[str, Any]) -> int | None:
    model = config["model"].get("student", config["model"])
    return model.get("cls_head", {}).get("num_classes")


def _reload(entry: Entry, state: dict[str, Any]) -> None:
    file = io.BytesIO()
    torch.save(predicting_network(state["model"]).state_dict(), file)
    file.seek(0)
    other = _build(state["resolved"].config)
    predicting_network(other).load_state_dict(torch.load(file, weights_only=True))
    batch = _batch(entry, state, 2, "test")
    if not torch.equal(_scores(state["model"], batch), _scores(other, batch)):
        raise Wrong(
            "a saved and loaded model predicts otherwise; keep all state in parameters and buffers, and draw nothing in eval mode"
        )


def _resume(entry: Entry, state: dict[str, Any]) -> None:
    batch = _batch(entry, state, 2)

    def steps(model: torch.nn.Module, optimizer: torch.optim.Optimizer, seeds: Iterable[int]) -> None:
        for seed in seeds:
            torch.manual_seed(seed)
            optimizer.zero_grad()
            _losses(model.train(), batch).backward()
            optimizer.step()

    straight, stopped, resumed = (_build(state["resolved"].config) for _ in range(3))
    optimizers = [
        torch.optim.SGD([p for p in m.parameters() if p.requires_grad], lr=0.01, momentum=0.9)
        for m in (straight, stopped, resumed)
    ]
    steps(straight, optimizers[0], (1, 2))
    steps(stopped, optimizers[1], (1,))
    resumed.load_state_dict(stopped.state_dict())
    optimizers[2].load_state_dict(optimizers[1].state_dict())
    steps(resumed, optimizers[2], (2,))
    for (name, a), b in zip(straight.state_dict().items(), resumed.state_dict().values(), strict=True):
        if not torch.equal(a, b):
            raise Wrong(
                f"after a resume '{name}' differs from an uninterrupted training; keep its state in a parameter or buffer"
            )


def _overfit(entry: Entry, state: dict[str, Any]) -> None:
    model = _build(state["resolved"].config).train()
    for module in model.modules():
        if isinstance(module, (torch.nn.Dropout, torch.nn.Dropout3d)):
            module.p = 0.0
    batch = _batch(entry, state, 4)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    first = None
    for _ in range(OVERFIT_STEPS):
        optimizer.zero_grad()
        loss = _losses(model, batch)
        first = float(loss) if first is None else first
        if float(loss) < 0.5 * first:
            return
        loss.backward()
        optimizer.step()
    raise Wrong(
        f"after {OVERFIT_STEPS} steps on one batch of 4 clips the loss went from {first:.2f} to {float(loss):.2f}; "
        "are labels and logits tied together, does the gradient reach the backbone?"
    )
