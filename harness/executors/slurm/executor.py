"""Jobs on a Slurm cluster: one submission per job or group, found again by its name.

A job is named ``<folder of the run>.<token>``; the name is written into the run's folder before Slurm gets the job. A
harness that was killed in between finds it, or knows that it never arrived; one that arrives later is refused by the
worker, whose token is no longer that of ``job.json``. Slurm never starts a job a second time (``--no-requeue``): after
preemption, a time limit or the loss of a node the harness submits again, under a new token, from the checkpoint.

submitit was looked at: it pickles functions, asks the accounting, which many clusters lack, what became of a job, and
knows only jobs by the number that Slurm gave them, too late for a harness that is killed while it submits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import click

from harness.errors import BadUsage
from harness.executors.base import DETACH, Outcome, Resources
from harness.executors.shared_files import record_is_shown, sleep_until_recorded
from harness.executors.slurm import client, reach
from harness.executors.slurm.job import POLL_S, QUICK_POLL_S, SlurmJob
from harness.executors.slurm.options import EXAMPLE, arguments, check_gpus, parse, time_of, warning
from harness.ledger.run_dir import LOG

SLOTS = 16
THREADS = "${SLURM_CPUS_PER_TASK:-1}"
JOBS = click.IntRange(1, 10_000)
WAITS_FOREVER = ("PartitionTimeLimit", "PartitionNodeLimit", "BadConstraints", "InvalidAccount", "InvalidQOS")


class SlurmExecutor:
    """Submissions to a cluster, see ``Executor``.

    Args:
        options: of sbatch, for every job. slots: jobs in the queue or running at a time.
        detach: jobs go on where the harness is asked to stop.
        time_limit: seconds that the cluster gives a job, None where it has no limit.
    """

    name: ClassVar[str] = "slurm"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "--slurm": {"metavar": "KEY=VALUE,...", "help": f"Options of sbatch, e.g. {EXAMPLE}."},
        "--slurm-jobs": {"type": JOBS, "help": f"Jobs in Slurm's queue at a time.  [default: {SLOTS}]"},
        "--detach": DETACH,
    }

    def __init__(
        self, options: Mapping[str, str], slots: int = SLOTS, detach: bool = False, time_limit: float | None = None
    ) -> None:
        self._arguments = [*arguments(options), f"--signal=B:TERM@{warning(time_limit)}"]
        self.slots = slots
        self.detach = detach
        self._jobs: list[SlurmJob] = []  # of this harness, not over
        self._seen: dict[str, client.Seen] = {}
        self._asked_at = -1e9  # on the monotonic clock
        self._away_since: float | None = None

    @classmethod
    def create(cls, options: Mapping[str, Any], resources: Resources) -> SlurmExecutor:
        reach.check()
        asked = parse(options["slurm"]) if options["slurm"] else {}
        check_gpus(asked, resources.gpus)
        client.check_accepts(arguments(asked))
        return cls(asked, options["slurm_jobs"] or SLOTS, bool(options["detach"]), time_of(asked))

    @classmethod
    def describe(cls, ids: Iterable[str]) -> dict[str, str]:
        """What Slurm says of jobs that wait or run, one line by id. Raises OSError where it does not answer."""
        try:
            reach.check_installed()
            found = client.jobs()
        except BadUsage as e:
            raise ConnectionError(str(e)) from None
        except client.SlurmError as e:
            raise ConnectionError(f"--backend slurm: {reach.explained(e)}") from None
        return {i: str(found[i]) for i in ids if i in found and not is_over(found[i])}

    def submit(self, run_dir: Path, resources: Resources) -> SlurmJob:
        from harness.executors.node_script import make_script
        from harness.ledger.submission import Submission, remember
        from harness.worker.spec import read_spec

        run_dir = Path(os.path.abspath(run_dir))
        spec = read_spec(run_dir)
        name = f"{run_dir.name}.{spec.submission[:12]}"
        for folder in {run_dir, *(Path(m.directory) for m in spec.members)}:
            remember(folder, Submission(self.name, name))
        job = SlurmJob(self.outcome_of, name, run_dir, spec)
        job.time_limit = resources.time_limit
        files = [f"--chdir={os.getcwd()}", f"--output={run_dir / LOG}", "--open-mode=append"]
        given = ["--no-requeue", "--export=ALL", "--nodes=1", "--ntasks=1", *files, *self._arguments]
        client.submit(name, given, make_script(run_dir, spec, THREADS, resources.time_limit))
        self._jobs.append(job)
        return job

    def attach(self, job_id: str) -> SlurmJob | None:
        if own := next((j for j in self._jobs if j.id == job_id), None):
            return own if own.poll() is None else None
        seen = self._look(POLL_S).get(job_id)
        if seen is None:
            seen = self._look(QUICK_POLL_S).get(job_id)
        while seen is None and self._away_since is not None:  # an old answer does not say that a job is gone
            time.sleep(client.PAUSE_S)
            seen = self._look(0.0).get(job_id)
        return SlurmJob(self.outcome_of, job_id) if seen is not None and not is_over(seen) else None

    def wait(self, timeout: float) -> None:
        """Sleeps: the files of the runs, which cost nothing to look at, say when to ask the controller."""
        sleep_until_recorded([job.run_dir for job in self._jobs], min([timeout, *(job.pause for job in self._jobs)]))
        now = time.monotonic()
        for job in self._jobs:
            if job.kill_at is not None and now > job.kill_at and not job.killed and job.poll() is None:
                job.killed = True
                client.signal(job.id)
        self._jobs = [j for j in self._jobs if j.poll() is None]

    def free_memory(self) -> int | None:
        return None

    def outcome_of(self, job: SlurmJob) -> Outcome | None:
        """How a job ended, None while it has not, or what it wrote is not seen here yet.

        Raises:
            BadUsage: a node lacks what every job needs, or the job can never start.
        """
        from harness.executors.slurm.ends import check_began, end_of

        seen = self._look(job.pause, since=job.submitted).get(job.id)
        if seen is None and self._asked_at <= job.submitted:
            return None  # nobody has asked since
        if seen is not None and not is_over(seen):
            if seen.state == "PENDING" and seen.reason in WAITS_FOREVER:
                client.signal(job.id)
                raise BadUsage(f"--slurm: {job.id} can never start ({seen.reason}); change the options for sbatch")
            return None
        if seen is None:
            seen = client.accounted(job.id)
        outcome = end_of(job, seen)
        needs_record = seen is None or (outcome.exit_code == 0 and outcome.cause is None)
        if not needs_record:
            return outcome
        job.missed = job.missed or time.monotonic()
        if not record_is_shown(job.run_dir, job.missed):
            return None
        if seen is not None:
            check_began(job, seen)
        return outcome

    def _look(self, older: float, since: float = -1e9) -> dict[str, client.Seen]:
        """This user's jobs, asked for anew where the last answer is older than that many seconds.

        Args:
            since: a job was submitted then; the first answer after it is asked for soon.

        Raises:
            EngineLost: the controller has not answered for ``OUTAGE_S``.
        """
        now = time.monotonic()
        age = now - self._asked_at
        if age < min(QUICK_POLL_S, older) or (age < older and self._asked_at > since):
            return self._seen
        try:
            self._seen, self._away_since = client.jobs(), None
            self._asked_at = now
        except client.SlurmError as e:
            if self._away_since is None:
                client.say_away(e)
                self._away_since = now
            if now - self._away_since > client.OUTAGE_S:
                raise client.lost(e) from None
            time.sleep(QUICK_POLL_S)
        return self._seen


def is_over(seen: client.Seen) -> bool:
    """Whether a job has ended; one that is completing has not."""
    return seen.state in OVER


OVER = (
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"),
    *("REVOKED", "TIMEOUT"),
)
