"""How a plan is executed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.ledger.redo_advice import quoted


@dataclass(frozen=True)
class Options:
    """How a plan is executed."""

    work_dir: Path
    clip_store: str = ""
    workers: int = 0  # data-loading processes of each job
    resident: str = "auto"  # auto, on or off: clip stores held in the memory of a job's device
    retries: int = 1  # further attempts at a job that was killed; out of memory halves down to one clip instead
    processes: int = 1  # that train one job together, one per device
    precision: str = "fp32"  # one of harness.system.precision.CHOICES
    compile: bool = False  # backbones, by torch.compile
    time_limit: float | None = None  # seconds of one job, None for no limit
    fuse: bool = True  # let students that differ in their losses' weights alone train side by side
    retry_failed: bool = True  # try again what failed in an earlier invocation
    command: str = "python -m harness run --cell '{job}'"  # what redoes a job

    def command_of(self, name: str) -> str:
        """The command that redoes the job of a name."""
        return self.command.replace("'{job}'", quoted(name))
