"""``predict``: what a trained network says of videos."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.common import print_json, printable
from harness.cli.group import Command
from harness.cli.options import device_option, json_option, old_work_dir_option

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)


@click.command("predict", cls=Command)
@click.argument("run", metavar="RUN")
@click.argument("clips", metavar="CLIP...", nargs=-1, required=True)
@old_work_dir_option
@device_option
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Classes to name for each clip.")
@json_option("{run, data, synthetic, profile, clips: a list of {clip, classes: a list of {class, score}, or problem}}")
def command(run: str, clips: tuple[str, ...], work_dir: Path, device: str, top: int, as_json: bool) -> int:
    """Predict the gesture of each CLIP with the network of RUN.

    A RUN is called as its page and its folder in the ledger are, or is a job as `status` lists it, or a cell, that has
    one run. A CLIP is a video of one gesture from its first frame to its last (`data segment` cuts recordings), or
    rgb=FILE,depth=FILE for a network that reads both. Frames are sampled, resized and cropped as in the run's own test;
    scores are what the network makes of all of them, from 0 to 100 % (with --json from 0 to 1). A line says where the
    run's code, or the plan of its cell, has changed since.
    """
    from harness.inference.named import named_run
    from harness.inference.remarks import remarks

    found = named_run(work_dir, run)
    for line in remarks(work_dir, found.record):
        log.info("note: %s", line)
    from harness.inference.predictor import load_predictor  # imports torch
    from harness.measure.entries import device_of
    from harness.suite.configs import title_of_clips
    from mtcd_plugin.formats.checkpoint_errors import one_line

    predictor = load_predictor(found.folder, found.record, device_of(device))
    videos = [predictor.videos(clip) for clip in clips]
    known = predictor.data
    counts = len(known.classes), len({*known.train_subjects, *known.test_subjects})
    head = {
        "run": found.folder.name,
        "data": title_of_clips(found.record.cell.dataset, known.name, bool(found.synthetic), *counts),
        "synthetic": bool(found.synthetic),
        "profile": found.record.cell.profile,
    }
    if not as_json:
        data = f"{head['data']} (synthetic)" if found.synthetic else head["data"]
        click.echo(f"{head['run']}, trained on {data}, profile {head['profile']}")
    rows: list[dict[str, Any]] = []
    for clip, files in zip(clips, videos, strict=True):
        try:
            rows.append({"clip": clip, "classes": _best(predictor.scores(files), predictor.data.classes, top)})
        except (OSError, ValueError) as e:  # the others are predicted all the same
            rows.append({"clip": clip, "problem": one_line(e)})
        if not as_json:
            click.echo(_line(rows[-1]))
    if as_json:
        print_json(head | {"clips": rows})
    return 1 if any("problem" in row for row in rows) else 0


def _best(scores: np.ndarray, classes: Sequence[str], top: int) -> list[dict[str, Any]]:
    """The classes with the highest scores, the lowest number first among equals."""
    order = sorted(range(len(scores)), key=lambda c: (-scores[c], c))[:top]
    return [{"class": classes[c], "score": float(scores[c])} for c in order]


def _line(row: dict[str, Any]) -> str:
    if "problem" in row:
        return f"{printable(row['clip'])}: not predicted, {printable(row['problem'])}"
    return f"{printable(row['clip'])}: " + ", ".join(f"{c['class']} {100 * c['score']:.1f} %" for c in row["classes"])
