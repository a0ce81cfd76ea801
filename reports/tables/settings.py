"""The settings of a run, read from its resolved config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.ledger.record import RunRecord
from reports import format as f
from reports.ledger.config import UNREADABLE, in_words, look, number
from reports.ledger.shared import Once
from reports.tables.table import Cell, missing


def settings(config: dict[str, Any]) -> dict[str, Cell]:
    """Input, batch, epochs, optimiser and schedule of a resolved config, as cells. What is of another type than is
    usual is not readable there."""
    train, test = config.get("train_dataloader"), config.get("test_dataloader")
    train = train or test
    sample, load = _find(train, "SampleClipFrames"), _find(train, "LoadModalities")
    crop = _find(train, "RandomCrop") or _find(test, "CenterCrop")
    trained = bool(config.get("train_cfg"))
    return {
        "frames": _number(sample.get("clip_len")),
        "size": _text(_size(load.get("size"))),
        "crop": _text(_size(crop.get("size") or crop.get("crop_size"))),
        "batch": _number(look(train, "batch_size")),
        "epochs": _number(look(config, "train_cfg.max_epochs")),
        "optimiser": _text(_optimisers(config.get("optim_wrapper"))),
        "schedule": _text(_schedule(config.get("param_scheduler")) or "constant rate" * trained),
    }


def trained_runs(record: RunRecord, known: Mapping[str, tuple[Path, RunRecord]]) -> list[RunRecord]:
    """The runs that trained the networks that a run predicts with: itself, or those of its stages where it trains none,
    as a fusion; what the ledger no longer has is left out."""
    if record.kind != "render":
        return [record]
    stages = [known[key][1] for key in record.identity.parents.values() if key in known]
    return [run for stage in stages for run in trained_runs(stage, known)]


def started_from(record: RunRecord) -> str:
    """The weights that a run started from: name and content of each file, once."""
    if record.kind == "render":
        return "trains nothing"
    files = {w.sha256: f"{w.file.rpartition('/')[2]} ({w.sha256[:12]})" for w in record.pretrained}
    stages = " and ".join(continued_stages(record))
    return ", ".join(files.values()) or (f"weights of its stage {stages}" if stages else "none: from scratch")


def start_kind(record: RunRecord) -> str:
    """What a trained run started from, in a word: ``pretrained``, ``stages`` or ``scratch``."""
    return "pretrained" if record.pretrained else "stages" if continued_stages(record) else "scratch"


def continued_stages(record: RunRecord) -> tuple[str, ...]:
    """The stages whose weights a run starts from: those that fill an ``init_from`` of its config, which is empty there
    until they are done."""
    stages = tuple(record.identity.parents)
    found: list[str] = []
    for place in _once(record.identity.config, _all_empty_starts):
        found += [s for s in stages if s in place] or stages
    return tuple(dict.fromkeys(found))


_once = Once()  # records share their configs, and a list of runs asks several times


def _all_empty_starts(config: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    return tuple(_empty_starts(config))


def _empty_starts(node: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _empty_starts(value, (*place, key))
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _empty_starts(value, place)
    elif node is None and "init_from" in place:
        yield place


def _optimisers(wrapper: Any) -> str:
    """The optimiser of a wrapper, or that of each network which a wrapper of several names: a GAN has two."""
    if wrapper and not isinstance(wrapper, dict):
        return UNREADABLE
    one = not wrapper or "optimizer" in wrapper
    parts = {"": wrapper} if one else {k: v for k, v in wrapper.items() if isinstance(v, dict)}
    found = {name: _optimiser(look(part, "optimizer")) for name, part in parts.items()}
    return "; ".join(f"{name} {said}".lstrip() for name, said in found.items() if said)


def _optimiser(optimiser: Any) -> str:
    """Type and rate; "" where there is none of either."""
    if not optimiser:
        return ""
    if not isinstance(optimiser, dict):
        return UNREADABLE
    rate = optimiser.get("lr")
    return f"{in_words(optimiser.get('type'))}, {_amount(rate)}" if rate else ""


def _find(node: Any, kind: str) -> dict[str, Any]:
    """The first dict of this ``type`` anywhere below; empty if there is none."""
    return next((d for d in _walk(node) if d.get("type") == kind), {})


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _walk(value)


def _schedule(schedule: Any) -> str:
    steps = schedule if isinstance(schedule, (list, tuple)) else [schedule]
    return ", then ".join(_step(step) for step in steps if step)


def _step(step: Any) -> str:
    if not isinstance(step, dict):
        return UNREADABLE
    if step.get("type") == "MultiStepLR":
        places = step.get("milestones", [])
        at = ", ".join(map(_amount, places)) if isinstance(places, (list, tuple)) else UNREADABLE
        return f"× {_amount(step.get('gamma', 0.1))} at epoch {at}"
    return in_words(step.get("type"))


def _size(value: Any) -> str:
    if value is None:
        return ""
    pair = value if isinstance(value, (list, tuple)) else (value, value)
    return "\u00a0×\u00a0".join(map(_amount, pair)) if all(number(v) is not None for v in pair) else UNREADABLE


def _amount(value: Any) -> str:
    return in_words(value) if number(value) is not None else UNREADABLE


def _text(text: str) -> Cell:
    return Cell(text) if text else missing(f.DASH, "not in the config")


def _number(value: Any) -> Cell:
    if value is None:
        return missing(f.DASH, "not in the config")
    if number(value) is None:
        return missing(UNREADABLE, "of another type in the config than is usual")
    return Cell(in_words(value), value)
