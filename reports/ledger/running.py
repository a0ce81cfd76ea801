"""What is running while pages are written."""

from __future__ import annotations

from dataclasses import dataclass

RUNNING = "running"


@dataclass(frozen=True)
class Running:
    """Where the jobs of a run stand.

    Attributes:
        done, failed: how many; blocked ones have failed. running, to_come: names of jobs.
        at: when this was so. every: seconds after which the pages may have been rewritten.
    """

    done: int
    failed: int
    running: tuple[str, ...]
    to_come: tuple[str, ...]
    at: str
    every: int

    @property
    def total(self) -> int:
        return self.done + self.failed + len(self.running) + len(self.to_come)

    def reason(self, job: str) -> str:
        """Why a job has no result yet; "" where it is not one of these."""
        return RUNNING if job in self.running else "still to come" if job in self.to_come else ""
