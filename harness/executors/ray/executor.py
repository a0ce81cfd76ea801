"""Jobs on a Ray cluster: one detached actor per job or group, found again by its name.

An actor is named ``<folder of the run>.<token>``; name and cluster are written into the run's folder before Ray gets
the job. A harness that was killed in between finds it, or knows that it never arrived. Ray itself never starts a job a
second time (``max_restarts`` is 0): after the loss of a node the harness submits again, under a new token, from the
checkpoint; a worker that arrives late is refused by its token.

Ray's own jobs (``ray job submit``) were looked at: they want the dashboard with an agent on each node, and what is left
of a job that is asked to stop is killed after a time that the harness cannot set for each.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from harness.errors import BadUsage, one_line
from harness.executors.base import DETACH, GRACE_SECONDS, Outcome, Resources
from harness.executors.ray.cluster import cluster_address, connect, disconnect, nodes
from harness.executors.ray.head import Head
from harness.executors.ray.options import EXAMPLE, Asked, check_gpus, for_nodes, parse
from harness.executors.ray.starts import StartProbes
from harness.executors.shared_files import log_size, logged_since, record_is_shown, sleep_until_recorded
from harness.ledger.run_dir import LOG, RECORD
from harness.worker.signals import EXIT_STOPPED

if TYPE_CHECKING:  # --help starts without pydantic
    from harness.worker.spec import JobSpec

NAMESPACE = "mgr-dark-benchmark"
SLOTS = 16
JOBS = click.IntRange(1, 10_000)
POLL_S = 1.0  # between questions to a job
LAST_POLL_S = 0.1  # where it has written its record
ANSWER_S = 3.0  # in which a job that runs says so; one that waits for a node says nothing
OUT_OF_MEMORY = (
    "killed on {}, which had run out of memory; reserve more for each job with --ray memory=SIZE, or run fewer at "
    "a time with --ray-jobs"
)


class RayJob:
    """A job of the cluster; see ``JobHandle``.

    Args:
        actor: Ray's handle of it.
        spec: what its worker was told, None for a job that another harness has submitted.

    Attributes:
        address: of its node; "" as long as it is not known to have started.
    """

    def __init__(self, job_id: str, actor: Any, run_dir: Path | None = None, spec: JobSpec | None = None) -> None:
        self.id = job_id
        self.submitted = time.monotonic()
        self.address = ""
        self.outcome: Outcome | None = None
        self._actor = actor
        self.run_dir = run_dir
        self._spec = spec
        self._asked = False  # to stop, by this harness
        self._ended: tuple[float, Outcome] | None = None  # and when it was heard of
        self._log_before = log_size(run_dir)
        self._question()

    def poll(self) -> Outcome | None:
        if self.outcome is None:
            try:
                self.outcome = self._look()
            except BadUsage:
                self.outcome = Outcome(None)  # it is over: said once
                raise
        return self.outcome

    def cancel(self, grace: float = GRACE_SECONDS) -> None:
        import ray

        if self.wait_for_answer(0.0) is not None:
            return
        self._asked = True
        if self.address:
            self._actor.stop.remote(grace)
        else:  # it waits for a node
            ray.kill(self._actor)

    def wait_for_answer(self, timeout: float) -> Outcome | None:
        """``poll``, after it has had some seconds to say whether it has started."""
        import ray

        ray.wait([self._answer], timeout=timeout)
        return self.poll()

    @property
    def pause(self) -> float:
        """Seconds between two questions after it."""
        return LAST_POLL_S if self.run_dir is not None and (self.run_dir / RECORD).exists() else POLL_S

    def _question(self) -> None:
        self._answer = self._actor.report.remote()
        self._asked_at = time.monotonic()

    def _look(self) -> Outcome | None:
        """How it ended, None while it has not. Raises BadUsage where its node lacks what every job needs."""
        import ray

        if self._ended is not None:
            return self._once_shown(*self._ended)
        if not ray.wait([self._answer], timeout=0)[0]:
            return None
        try:
            self.address, end = ray.get(self._answer)
        except ray.exceptions.ActorUnavailableError:  # the connection broke; Ray knows more in a moment
            end = None
        except ray.exceptions.RayError as e:
            return self._end_unseen(e)
        if end is not None:
            ray.kill(self._actor)
            self._ended = time.monotonic(), self._end(*end)
            return self._once_shown(*self._ended)
        if time.monotonic() - self._asked_at > self.pause:
            self._question()
        return None

    def _once_shown(self, since: float, outcome: Outcome) -> Outcome | None:
        needs_record = outcome.exit_code == 0 and outcome.cause is None
        return outcome if not needs_record or record_is_shown(self.run_dir, since) else None

    def _end(self, code: int, cause: str) -> Outcome:
        from harness.executors.node_script import CANNOT_START, fault_of

        if self.run_dir and self._spec:
            lines = [cause] if code == CANNOT_START else logged_since(self.run_dir, self._log_before)[1:]
            if line := fault_of(code, self.address, self.run_dir, self._spec, lines[-1] if lines else ""):
                raise BadUsage(f"--backend ray: {line}")
        if cause == "time_limit":
            return Outcome(code, "time_limit", "stopped at the time limit")
        if cause == "out_of_memory":
            return Outcome(code, "out_of_memory", OUT_OF_MEMORY.format(self._node))
        return Outcome(code)

    @property
    def _node(self) -> str:
        return f"node {self.address}" if self.address else "its node"

    def _end_unseen(self, error: Exception) -> Outcome:
        """What became of a job whose actor is gone, by what Ray says of that."""
        import ray

        if self._asked:
            return Outcome(-signal.SIGKILL if self.address else EXIT_STOPPED)
        said = one_line(error)
        if isinstance(error, ray.exceptions.RuntimeEnvSetupError):
            raise BadUsage(
                f"--backend ray: {self._node} cannot set up the environment of its jobs ({_last_line(error)}); correct "
                "the runtime environment that the harness was started with, or start it without one"
            )
        if "creation task" in said:
            return Outcome(None, "crash", f"{self._node} could not start it: {_last_line(error)}")
        if isinstance(error, ray.exceptions.OutOfMemoryError) or "low on memory" in said:
            return Outcome(None, "out_of_memory", OUT_OF_MEMORY.format(self._node))
        if "node has died" in said:
            return Outcome(None, "node_failure", f"{self._node} was lost")
        if "ray.kill" in said:
            return Outcome(None, "cancelled", f"cancelled on the cluster (actor {self.id}), not by the harness")
        return Outcome(None, "killed", f"the process that watched it on {self._node} ended: {said}")


class RayExecutor:
    """Detached actors of a cluster, see ``Executor``.

    Args:
        asked: of each job; ``num_gpus`` of the largest one. slots: jobs that wait or run at a time.
        detach: jobs go on where the harness is asked to stop.
    """

    name: ClassVar[str] = "ray"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "--ray": {"metavar": "KEY=VALUE,...", "help": f"The cluster and what a job gets, e.g. {EXAMPLE}."},
        "--ray-jobs": {"type": JOBS, "help": f"Jobs that Ray has at a time.  [default: {SLOTS}]"},
        "--detach": DETACH,
    }

    def __init__(self, asked: Asked, slots: int = SLOTS, detach: bool = False) -> None:
        import ray

        from harness.executors.ray import node
        from harness.system import memory_kills

        self.slots = slots
        self.detach = detach
        self._asked = asked
        self._cluster = cluster_address()
        self._head = Head(self._cluster)
        self._probes = StartProbes(asked.of_a_job(1))
        self._jobs: dict[str, RayJob] = {}  # not over, by id
        for module in (node, memory_kills):  # what runs on a node needs no harness to be read there
            ray.cloudpickle.register_pickle_by_value(module)
        self._actor = ray.remote(node.NodeJob)

    @classmethod
    def create(cls, options: Mapping[str, Any], resources: Resources) -> RayExecutor:
        asked = parse(options["ray"] or "")
        check_gpus(asked, resources.gpus)
        connect(asked.address)
        asked = for_nodes(asked, resources.gpus, nodes())
        return cls(asked, options["ray_jobs"] or SLOTS, bool(options["detach"]))

    @classmethod
    def describe(cls, ids: Iterable[str]) -> dict[str, str]:
        """Where jobs are that wait or run, one line by id. Raises OSError where their cluster is not there."""
        found, faults = {}, []
        of_cluster: dict[str, list[str]] = {}
        for job_id in ids:
            of_cluster.setdefault(job_id.rpartition("@")[2], []).append(job_id)
        for i, (address, own) in enumerate(of_cluster.items()):
            try:
                if i:
                    disconnect()
                connect(address)
            except BadUsage as e:
                faults.append(str(e))
                continue
            for job_id in own:
                job = find(job_id)
                if job is not None and job.wait_for_answer(ANSWER_S) is None:
                    found[job_id] = f"{job_id} {f'RUNNING on {job.address}' if job.address else 'PENDING'}"
        if faults and not found:  # else jobs of a cluster that was there before this one
            raise ConnectionError(faults[0])
        return found

    def submit(self, run_dir: Path, resources: Resources) -> RayJob:
        from harness.executors.node_script import make_script
        from harness.ledger.submission import Submission, remember
        from harness.worker.spec import read_spec

        run_dir = Path(os.path.abspath(run_dir))
        spec = read_spec(run_dir)
        name = f"{run_dir.name}.{spec.submission[:12]}"
        job_id = f"{name}@{self._cluster}"
        for folder in {run_dir, *(Path(m.directory) for m in spec.members)}:
            remember(folder, Submission(self.name, job_id))
        given = self._asked.of_a_job(resources.gpus)
        script = make_script(run_dir, spec, str(given["num_cpus"]))
        with self._head.watched():
            actor = self._actor.options(
                name=name, namespace=NAMESPACE, lifetime="detached", max_restarts=0, max_task_retries=0, **given
            ).remote(script, str(run_dir / LOG), dict(os.environ), given["num_gpus"] > 0, resources.time_limit)
        return self._jobs.setdefault(job_id, RayJob(job_id, actor, run_dir, spec))

    def attach(self, job_id: str) -> RayJob | None:
        if job_id not in self._jobs:
            with self._head.watched():
                found = find(job_id) if job_id.rpartition("@")[2] == self._cluster else None
            if found is None or found.wait_for_answer(ANSWER_S) is not None:
                return None
            self._jobs[job_id] = found
        job = self._jobs[job_id]
        return job if job.poll() is None else None

    def wait(self, timeout: float) -> None:
        pauses = [job.pause for job in self._jobs.values()]
        sleep_until_recorded([job.run_dir for job in self._jobs.values()], min([timeout, *pauses]))
        self._head.check()
        self._jobs = {i: job for i, job in self._jobs.items() if job.poll() is None}
        if waiting := [job.submitted for job in self._jobs.values() if not job.address]:
            with self._head.watched():
                self._probes.check(time.monotonic() - min(waiting))

    def free_memory(self) -> int | None:
        return None


def _last_line(error: Exception) -> str:
    """What Ray quotes at the end of a page."""
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)


def find(job_id: str) -> RayJob | None:
    """A job of the cluster that this process is connected to; None where there is none of that id."""
    import ray

    try:
        return RayJob(job_id, ray.get_actor(job_id.rpartition("@")[0], namespace=NAMESPACE))
    except ValueError:
        return None
