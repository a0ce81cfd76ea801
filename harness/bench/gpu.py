"""One script for whoever has a card: steps of every method, distillation, a real run, two GPUs, in a few minutes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.bench.clip_set import write_clip_set
from harness.bench.clip_sources import build_stores, our_dataset, stock_dataset
from harness.errors import BadUsage
from harness.ledger.store import load_records
from harness.system.environment import commit, environment, hardware

if TYPE_CHECKING:
    from harness.measure.gpu_steps import StepSizes
    from harness.suite import Benchmark, Entry

PARTS = ("methods", "distillation", "smoke", "ddp")
CLIPS = 4  # of the clip set, drawn with replacement
SMOKE = ("run-all", "--profile", "smoke", "--quick")
DDP = ("run", "--profile", "smoke", "--cell", "i3d_r50_mgr-dark-rgb", "--gpus-per-job", "2")


@dataclass(frozen=True)
class Session:
    """How it is measured. ``end``: on the monotonic clock, after which no further measurement begins."""

    profile: str
    device: str
    sizes: StepSizes
    end: float
    say: Callable[[str], None]

    @property
    def left(self) -> float:
        return self.end - time.monotonic()


def check_gpu(device: str) -> None:
    """Raise BadUsage where there is no GPU to measure."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise BadUsage(
            "bench gpu: PyTorch sees no GPU here; run it on a machine that has one (`doctor` says why it may not)"
        )


def bench_gpu(
    suite: tuple[Benchmark, dict[str, Entry]], chosen: Iterable[Entry], skip: Iterable[str], session: Session
) -> dict[str, Any]:
    """Measure all parts but those to skip. What there is no time for is named in ``left_out``, never guessed.

    Args:
        chosen: the entries whose steps are measured.
    """
    import torch

    skipped, on_gpu = set(skip), session.device.startswith("cuda")
    gpus = torch.cuda.device_count() if on_gpu else 0
    found: dict[str, Any] = {
        "gpu": torch.cuda.get_device_name(0) if on_gpu else "none",
        "gpus": gpus,
        "profile": session.profile,
        "methods": [],
        "left_out": {},
    }
    with tempfile.TemporaryDirectory(prefix="harness-gpu-") as folder:
        if "smoke" not in skipped:
            found["smoke"] = run_command(SMOKE, Path(folder), session)
        if "ddp" not in skipped and gpus >= 2:
            found["ddp"] = run_command(DDP, Path(folder), session)
        elif "ddp" not in skipped:
            found["left_out"]["ddp"] = f"two GPUs are needed, {gpus} here"
        if "distillation" not in skipped:
            found["distillation"] = distillation(suite, session)
        if "methods" not in skipped:
            methods(list(chosen), Path(folder), session, found)
    return found | {"hardware": hardware(), "environment": environment(), "commit": commit()}


def methods(chosen: list[Entry], folder: Path, session: Session, found: dict[str, Any]) -> None:
    """Steps of each method, stock against ours, into ``found``."""
    import torch

    from harness.measure.gpu_steps import OURS, STOCK, measure_method
    from harness.measure.parts import quietly
    from harness.plan.resolve import resolve

    with quietly(torch.get_num_threads()):
        session.say("writing clips")
        clips = Clips(folder, small=session.profile == "smoke")
        for entry in chosen:
            if session.left <= 0:
                found["left_out"][entry.name] = "no time was left"
                continue
            config = resolve(entry.config, session.profile).config
            row: dict[str, Any] = {"model": entry.name, "method": entry.method}
            for how in (STOCK, OURS):
                try:
                    dataset = clips.dataset(config, how)
                    row[how] = measure_method(config, how, dataset, torch.device(session.device), session.sizes)
                    session.say(f"{entry.name}, {how}: {line_of(row[how])}")
                except ValueError as e:
                    row[f"{how}_failed"] = str(e)
                    session.say(f"{entry.name}: {e}")
            found["methods"].append(row)


class Clips:
    """Videos and stores to read from, and the data sets of them, each made once."""

    def __init__(self, folder: Path, small: bool = False) -> None:
        self.folder = folder
        self.data = folder / "clips"
        self.data.mkdir()
        rgb, others = ((64, 48), (64, 48)) if small else ((1920, 1080), (640, 480))
        write_clip_set(self.data, CLIPS, size=rgb, other_size=others)
        self.videos = sorted((self.data / "clips" / "dark" / "rgb").iterdir())

    def dataset(self, config: dict[str, Any], how: str) -> Any:
        """The clips as a config's training reads them: decoded by MMAction2, or out of a raw store.

        Raises:
            ValueError: it names no sizes.
        """
        from harness.data.store.cache import loaded_size
        from harness.measure.gpu_steps import STOCK
        from harness.measure.parts import clip_shape_of

        _, frames, crop, _ = clip_shape_of(config, "rgb", "train")
        size = (loaded_size(config["train_dataloader"]["dataset"]) or (crop, crop))[0]
        if how == STOCK:
            return stock_dataset(self.videos, self.data, size, crop, frames)
        store = self.folder / f"store-{size}"
        if not store.is_dir():
            build_stores(self.data, store, "raw", ("rgb",), size)
        return our_dataset(self.data, store, ("rgb",), size, crop, frames)


def distillation(suite: tuple[Benchmark, dict[str, Entry]], session: Session) -> dict[str, Any]:
    """What distillation adds to a step of Figure 6's student, in float32, without loading."""
    from harness.measure.step import measure_student_step

    benchmark, entries = suite
    if not benchmark.figures:
        return {"left_out": "no figure names a student"}
    entry, sizes = entries[benchmark.figures[0].model], session.sizes
    repeats = min(3, sizes.steps)
    found = measure_student_step(entry, entries, session.profile, session.device, sizes.clips, repeats=repeats)
    return {"model": entry.name, **found}


def run_command(command: tuple[str, ...], folder: Path, session: Session) -> dict[str, Any]:
    """Run a command of the harness in a folder, and what its ledger then has."""
    session.say(f"harness {' '.join(command)}")
    began = time.monotonic()
    places = [
        "--work-dir",
        str(folder / "work"),
        *(["--site", str(folder / "site")] if command[0] == "run-all" else []),
    ]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *command, *places],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=max(1.0, session.left),
            env=_with_harness(),
        )
    except subprocess.TimeoutExpired:
        return {"command": " ".join(command), "left_out": "it did not end in the time that was left"}
    records = [record for _, record in load_records(folder / "work")[0].values()]
    return {
        "command": " ".join(command),
        "exit_code": done.returncode,
        "seconds": time.monotonic() - began,
        "done": sum(r.status == "done" for r in records),
        "failed": sum(r.status == "failed" for r in records),
        "gpus": sorted({r.hardware.get("gpu", "none") for r in records}),
        "precisions": sorted({r.hardware.get("precision", "") for r in records}),
        **({"said": done.stderr.splitlines()[-3:]} if done.returncode else {}),
    }


def _with_harness() -> dict[str, str]:
    """The environment with this harness, from wherever it is started."""
    import harness

    here = str(Path(harness.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))}


def line_of(row: dict[str, Any]) -> str:
    """A measurement in a line."""
    share = f", {100 * row['share_of_peak']:.1f} % of the peak" if row["share_of_peak"] else ""
    halved = f" (halved from {row['halved_from']})" if "halved_from" in row else ""
    return (
        f"{row['precision']}, batch {row['batch']}{halved}: step {1000 * row['step_s']:.0f} ms{share}; with loading "
        f"{row['clips_per_s']:.1f} clips/s, {100 * row['data_share']:.0f} % waiting; {row['peak_gib']:.1f} GiB"
    )
