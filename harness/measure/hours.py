"""Hours that jobs should take on a card: their multiply-adds over the share of its peak that training reaches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from harness.errors import BadUsage
from harness.ledger.record import RunRecord
from harness.measure.amounts import predicted_clips, trained_samples
from harness.measure.cards import Card, card_of
from harness.measure.counted import Operations, operations_of
from harness.plan.outline import OutlinedJob

ASSUMED_SHARE = 0.2  # of a card's peak that training reaches, where nothing is measured


@dataclass(frozen=True)
class Spent:
    """What a job costs. ``training``, ``predicting``: multiply-adds of the whole run; ``seconds`` on the card."""

    training: float
    predicting: float
    seconds: float
    share: float

    @property
    def counted(self) -> bool:
        """Whether it runs a network at all; what else it does is not in its seconds."""
        return self.training + self.predicting > 0


@dataclass(frozen=True)
class Shares:
    """The share of its peak that a card reaches. ``source``: measured where, or assumed; ``by_model``: measured ones,
    by the model entry's name.
    """

    share: float
    source: str
    by_model: Mapping[str, float] = field(default_factory=dict)

    def of(self, model: str) -> float:
        return self.by_model.get(model, self.share)


def spent(job: OutlinedJob, card: Card, shares: Shares) -> Spent:
    """What an outlined job costs on a card. Its config must be placed where its data are, if they are anywhere.

    Raises:
        ValueError: its network cannot be counted, or the number of its clips is not known.
    """
    if job.fuses:
        return Spent(0.0, 0.0, 0.0, 0.0)
    one = operations_of(job.config, job.entry.test_modality)
    training, predicting = whole_run(job, one)
    share = shares.of(job.entry.name)
    peak = card.peak("auto" if job.entry.classifies else "fp32")  # translators and encoders train in float32
    return Spent(training, predicting, 2 * (training + predicting) / (peak * share), share)


def whole_run(job: OutlinedJob, one: Operations) -> tuple[float, float]:
    """Multiply-adds of all training steps, and of testing or rendering. Raises as ``amount_of``."""
    training = one.training * trained_samples(job.config) if one.training else 0.0
    return training, one.predicting * predicted_clips(job.config) if one.predicting else 0.0


def longest_chain(jobs: Mapping[str, OutlinedJob], seconds: Mapping[str, float]) -> float:
    """Seconds of the stages that have to follow each other, on as many cards as there are jobs."""
    ends: dict[str, float] = {}
    for key, job in jobs.items():  # stages come before what depends on them
        ends[key] = seconds[key] + max((ends[p] for p in job.parents), default=0.0)
    return max(ends.values(), default=0.0)


def measured_shares(path: Path, card: Card) -> Shares:
    """What ``bench gpu --json`` has measured on such a card.

    Raises:
        BadUsage: the file is no result of it, is of another card, or says no share.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        gpu = str(found["gpu"])
        shares = {m["model"]: float(m["ours"]["share_of_peak"]) for m in found["methods"] if m.get("ours")}
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise BadUsage(f"--measured {path}: no result of `bench gpu --json` ({type(e).__name__}: {e})") from None
    if card_of(gpu) != card:
        raise BadUsage(f"--measured {path}: was measured on {gpu}, not on --device {card.id}")
    if not shares:
        raise BadUsage(
            f"--measured {path}: no method was measured in it; run `bench gpu --json` without --skip methods"
        )
    return Shares(median(shares.values()), f"measured by bench gpu on {gpu}, {len(shares)} methods", shares)


@dataclass(frozen=True)
class Compared:
    """A kind of hardware in a ledger: multiply-adds a second of its trainings, and predicted over measured seconds of
    each run, predicted from the median rate.
    """

    hardware: str
    rate: float
    ratios: Mapping[str, float]  # name of a run -> predicted over measured


def compare(
    jobs: Iterable[OutlinedJob], record_of: Callable[[OutlinedJob], RunRecord | None], gpus: bool = False
) -> list[Compared]:
    """Trainings of a ledger against their multiply-adds, by the hardware that they ran on.

    Args:
        record_of: of a job, None where it is not done. gpus: runs on GPUs alone.
    """
    rates: dict[str, dict[str, float]] = {}
    for job in jobs:
        record = record_of(job)
        if record is None or not record.cost.train_seconds or job.fuses:
            continue
        gpu = record.hardware.get("gpu", "none")
        if gpus and gpu == "none":
            continue
        operations = whole_run(job, operations_of(job.config, job.entry.test_modality))[0]
        where = (
            gpu if gpu != "none" else f"{record.hardware.get('cpu', 'CPU')}, {record.hardware.get('threads')} threads"
        )
        rates.setdefault(where, {})[job.name] = operations / record.cost.train_seconds
    found = []
    for where, each in rates.items():
        rate = median(each.values())
        found.append(Compared(where, rate, {name: own / rate for name, own in each.items()}))
    return found
