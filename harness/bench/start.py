"""A command of the harness as a process of its own, watched from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
STUCK_S = 1800.0
PHASES = (
    (" jobs: ", "report"),
    ("started ", "jobs"),
    ("done  ", "jobs"),
    ("retry ", "jobs"),
    ("elsewhere ", "jobs"),
    ("failed  ", "jobs"),
    ("clip store", "clip store"),
    ("synthetic ", "synthesis"),
)


class Start:
    """One start of the command: its process, the lines it prints, and the jobs it runs."""

    def __init__(self, command: list[str], place: Path) -> None:
        path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            command,
            cwd=place,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.read_at: list[float] = []  # when each was there, on the monotonic clock
        self._spoke = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stdout: Iterable[str]) -> None:
        for line in stdout:
            self.read_at.append(time.monotonic())
            self.lines.append(line.rstrip("\n"))
            self._spoke.set()

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    @property
    def phase(self) -> str:
        """``plan``, ``synthesis``, ``clip store``, ``jobs`` or ``report``, by the last line that tells."""
        for line in reversed(list(self.lines)):
            for words, phase in PHASES:
                if words in line:
                    return phase
        return "plan"

    def wait(self, seconds: float) -> None:
        """Until the time is up or the process is over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def wait_for_a_line(self, seconds: float) -> None:
        self._spoke.clear()
        end = time.monotonic() + seconds
        while not self.over and not self._spoke.wait(0.1) and time.monotonic() < end:
            pass

    def family(self) -> list[psutil.Process]:
        """The harness's process and all that come from it."""
        try:
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def jobs(self) -> list[int]:
        """Process groups of the running jobs: each job leads one of its own."""
        found = []
        for child in self.family()[1:]:
            with contextlib.suppress(ProcessLookupError):
                if os.getpgid(child.pid) == child.pid:
                    found.append(child.pid)
        return sorted(found)

    def result(self) -> int:
        """The exit code, when all that it printed was read. Raises ValueError where it hangs."""
        try:
            code = self.process.wait(STUCK_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise ValueError(f"it hangs; last lines: {' | '.join(self.lines[-5:])}") from None
        self._reader.join(5.0)  # a job that outlives the harness keeps the pipe open
        return code

    def end(self) -> None:
        """Kill all that comes from it."""
        for group in (*self.jobs(), self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
