"""Jobs without a network, and an executor that runs a function in this process."""

from harness.executors.base import Outcome
from harness.ledger.files import sha256_of
from harness.ledger.identity import IDENTITY_VERSION, run_key
from harness.ledger.record import CellInfo, Failure, Identity, RunRecord
from harness.ledger.store import write_record
from harness.plan.jobs import Job
from harness.schedule.options import Options
from harness.schedule.scheduler import execute
from harness.worker.spec import read_spec


def toy_job(name, parents=None):
    parents = parents or {}
    cell = CellInfo(
        model=name,
        method="Toy",
        stage="single",
        dataset="mgr_dark",
        train_modalities=["rgb"],
        test_modality="rgb",
        seed=0,
        profile="smoke",
    )
    identity = Identity(
        version=IDENTITY_VERSION,
        config={"name": name},
        data={},
        parents={s: p.key for s, p in parents.items()},
        code={},
        seed=0,
    )
    return Job(
        key=run_key(identity),
        name=name,
        kind="train",
        cell=cell,
        identity=identity,
        data=None,
        config={"model": {"teacher": {"checkpoint": None}}, "train_dataloader": {"batch_size": 8}},
        parents=identity.parents,
        inject_at={s: ("model.teacher.checkpoint",) for s in parents},
    )


class FakeJob:
    """A job that is over once its executor was waited for, or was cancelled."""

    def __init__(self, number, outcome):
        self.id, self.outcome, self.over, self.cancelled = f"job {number}", outcome, False, False

    def poll(self):
        return self.outcome if self.over else None

    def cancel(self, grace):
        self.cancelled = self.over = True


class FakeExecutor:
    """Runs ``behave(spec, folder)`` at submission; its result is the process's exit code, or an ``Outcome``."""

    name, options = "fake", {}

    def __init__(self, behave, slots=2):
        self.behave, self.slots, self.running, self.order, self.asked = behave, slots, [], [], []

    def submit(self, run_dir, resources):
        spec = read_spec(run_dir)
        self.order.append(spec.name)
        self.asked.append(resources)
        end = self.behave(spec, run_dir)
        self.running.append(FakeJob(len(self.order), end if isinstance(end, Outcome) else Outcome(end)))
        return self.running[-1]

    def attach(self, job_id):
        return None

    def wait(self, timeout):
        for job in self.running:
            job.over = True
        self.running = []

    def free_memory(self):
        return None


def finish(spec, folder, **changes):
    if spec.kind == "train":
        changes["checkpoint_sha256"] = weights(folder)
    write_record(
        folder,
        RunRecord(
            key=spec.key,
            status="done",
            kind=spec.kind,
            cell=spec.cell,
            identity=spec.identity,
            attempts=spec.attempts,
            **changes,
        ),
    )
    return 0


def weights(folder):
    (folder / "checkpoint.pth").write_bytes(b"weights")
    return sha256_of(folder / "checkpoint.pth")


def fail(spec, folder, kind="crash"):
    write_record(
        folder,
        RunRecord(
            key=spec.key,
            status="failed",
            kind=spec.kind,
            cell=spec.cell,
            identity=spec.identity,
            attempts=spec.attempts,
            failure=Failure(kind=kind, message="boom"),
        ),
    )
    return 0


def run(jobs, behave, tmp_path, events=None, **options):
    executor = FakeExecutor(behave)
    state = execute(
        {j.key: j for j in jobs},
        executor,
        Options(work_dir=tmp_path, **options),
        (lambda e, j, d: events.append((e, j.name))) if events is not None else lambda *a: None,
    )
    return state, executor.order
