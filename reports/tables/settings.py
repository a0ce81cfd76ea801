"""The settings of a run, read from its resolved config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.ledger.record import RunRecord
from reports import format as f
from reports.ledger.shared import Once
from reports.tables.table import Cell, missing


def settings(config: dict[str, Any]) -> dict[str, Cell]:
    """Input, batch, epochs, optimiser and schedule of a resolved config, as cells."""
    train = config.get("train_dataloader") or config.get("test_dataloader") or {}
    sample, load = _find(train, "SampleClipFrames"), _find(train, "LoadModalities")
    crop = _find(train, "RandomCrop") or _find(config.get("test_dataloader") or {}, "CenterCrop")
    wrapper = config.get("optim_wrapper") or {}
    loop = config.get("train_cfg") or {}
    schedule = config.get("param_scheduler") or []
    return {
        "frames": _number(sample.get("clip_len")),
        "size": _text(_size(load.get("size"))),
        "crop": _text(_size(crop.get("size") or crop.get("crop_size"))),
        "batch": _number(train.get("batch_size")),
        "epochs": _number(loop.get("max_epochs")),
        "optimiser": _text(_optimisers(wrapper)),
        "schedule": _text(
            ", then ".join(_step(s) for s in (schedule if isinstance(schedule, list) else [schedule]))
            or "constant rate" * bool(loop)
        ),
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


def _optimisers(wrapper: dict[str, Any]) -> str:
    """The optimiser of a wrapper, or that of each network which a wrapper of several names: a GAN has two."""
    parts = {"": wrapper} if "optimizer" in wrapper else {k: v for k, v in wrapper.items() if isinstance(v, dict)}
    found = {name: part.get("optimizer") or {} for name, part in parts.items()}
    return "; ".join(f"{name} {o.get('type')}, {o['lr']:g}".lstrip() for name, o in found.items() if o.get("lr"))


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


def _step(step: dict[str, Any]) -> str:
    kind = str(step.get("type", ""))
    if kind == "MultiStepLR":
        at = ", ".join(str(m) for m in step.get("milestones", []))
        return f"× {step.get('gamma', 0.1):g} at epoch {at}"
    return kind


def _size(value: Any) -> str:
    if value is None:
        return ""
    pair = value if isinstance(value, (list, tuple)) else (value, value)
    return "\u00a0×\u00a0".join(str(v) for v in pair)


def _text(text: str) -> Cell:
    return Cell(text) if text else missing(f.DASH, "not in the config")


def _number(value: Any) -> Cell:
    return Cell(f"{value:g}", value) if isinstance(value, (int, float)) else missing(f.DASH, "not in the config")
