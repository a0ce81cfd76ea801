"""What Ray runs on a node: it starts the worker of one job, watches it, and says how it ended.

The class goes to the nodes as it is written here (``executor.py`` pickles it by value): the Python that runs a node of
Ray's need not have the harness, only that of the worker. So nothing that is used here is of another module of the
harness, but for constants and ``MemoryWatch``, which goes along.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time

from harness.executors.base import GRACE_SECONDS
from harness.executors.node_script import CANNOT_START
from harness.system.memory_kills import MemoryWatch

LINGER_S = (
    60.0  # for which, by default, the end of a job can be asked for; then its CPUs and GPUs are free, whoever asked
)
LOOK_S = 0.5  # between two looks at the worker
# Reads until the process that started it is gone, which asks the worker's group to stop, and kills it after a while.
GUARD = 'read _; kill -s TERM -- "-$1"; sleep "$2"; kill -s KILL -- "-$1"'


class NodeJob:
    """The worker of a job, a child of this process; it ends with it.

    Args:
        script: for a shell; the worker takes its place.
        log: to which its output is appended.
        environment: of the harness that submitted it.
        on_gpu: whether it has the GPUs that Ray gave this process.
        time_limit: seconds after which it is stopped, None for no limit.
        linger: seconds from its end to that of this process.
    """

    def __init__(
        self,
        script: str,
        log: str,
        environment: dict[str, str],
        on_gpu: bool,
        time_limit: float | None,
        linger: float = LINGER_S,
    ) -> None:
        self._asked = False  # to stop
        self._end: tuple[int, str] | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        devices = os.environ.get("CUDA_VISIBLE_DEVICES", "") if on_gpu else ""
        try:
            with open(log if os.path.isdir(os.path.dirname(log)) else os.devnull, "ab") as output:
                self._worker = subprocess.Popen(
                    ["/bin/sh", "-c", script],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={**environment, "CUDA_VISIBLE_DEVICES": devices},
                    start_new_session=True,
                )
        except OSError as e:  # the log, or the shell
            self._end = CANNOT_START, str(e)
            threading.Thread(target=self._linger, args=(linger,), daemon=True).start()
            return
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self._worker.pid), str(GRACE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        threading.Thread(target=self._watch, args=(self._worker, time_limit, linger), daemon=True).start()

    def report(self) -> tuple[str, tuple[int, str] | None]:
        """The node's address, and how the worker ended: its exit code, and a class of failure or ""; where it has not
        started, CANNOT_START and why.
        """
        import ray

        return ray.util.get_node_ip_address(), self._end

    def stop(self, grace: float) -> None:
        """Ask the worker to stop at its checkpoint, and return at once; after ``grace`` seconds it is killed."""
        self._asked = True
        self._signal(signal.SIGTERM)
        timer = threading.Timer(grace, self._signal, [signal.SIGKILL])
        timer.daemon = True
        timer.start()

    def _watch(self, worker: subprocess.Popen[bytes], time_limit: float | None, linger: float) -> None:
        cause, memory, until = (
            "",
            MemoryWatch(worker.pid),
            None if time_limit is None else time.monotonic() + time_limit,
        )
        while (code := _wait(worker, LOOK_S)) is None:
            memory.look()
            if until is not None and time.monotonic() > until:
                cause, until = "time_limit", None
                self.stop(GRACE_SECONDS)
        for_memory = memory.killed()
        if code == -signal.SIGKILL and not self._asked and for_memory:
            cause = "out_of_memory"
        self._guard.kill()
        self._signal(signal.SIGKILL, of_what_is_left=True)  # data-loading processes
        self._end = code, cause
        self._linger(linger)

    def _linger(self, seconds: float) -> None:
        time.sleep(seconds)
        os._exit(0)

    def _signal(self, number: int, of_what_is_left: bool = False) -> None:
        if self._worker is not None and (of_what_is_left or self._worker.poll() is None):
            try:
                os.killpg(self._worker.pid, number)
            except ProcessLookupError:
                return


def _wait(worker: subprocess.Popen[bytes], timeout: float) -> int | None:
    """Its exit code, None where it still runs after some seconds."""
    try:
        return worker.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
