"""A worker without a network, for tests of executors: ``python -m tests.helpers.quick_worker RUN_DIR ...``.

It keeps the rules of the real one for locks, tokens and signals. It finishes once ``WORK_DIR/go`` is there, takes more
and more memory while ``WORK_DIR/eat`` is, and writes each start into ``WORK_DIR/starts``. It hears no SIGTERM where the
process that starts it ignores that.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from harness.ledger.lock import LockLost, kept_alive
from harness.ledger.run_dir import RESUME
from harness.system.parent_exit import on_parent_exit
from harness.worker.signals import EXIT_LOCK_LOST, EXIT_STOPPED
from harness.worker.spec import locks_of, read_spec
from tests.helpers.toy_jobs import finish

MEAL = 16 << 20


def main(folder, submission=""):
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(EXIT_STOPPED))
    spec, work_dir, eaten = read_spec(folder), folder.parent.parent, []
    submission = submission or spec.submission
    if submission != spec.submission:
        return EXIT_LOCK_LOST
    lock = locks_of(folder, spec)[folder]
    try:
        lock.join(spec.submission)
    except LockLost:
        return EXIT_LOCK_LOST
    with open(work_dir / "starts", "a", encoding="utf-8") as file:
        file.write(f"{spec.name}\n")
    with kept_alive(lambda: [lock]):
        (folder / RESUME).parent.mkdir(exist_ok=True)
        (folder / RESUME).write_text(spec.submission)
        while not (work_dir / "go").exists():
            if (work_dir / "eat").exists():
                eaten.append(b"x" * MEAL)
            time.sleep(0.05)
        lock.check()
        finish(spec, folder)
    lock.leave()
    return 0


def child(run_dir, threads, devices):
    """The process of a job of the local executor, see ``harness.executors.local._child``."""
    from harness.executors import local

    os.setsid()
    on_parent_exit(local._end_orphan)
    sys.exit(main(Path(run_dir)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--threads")
    parser.add_argument("--submission")
    given = parser.parse_args()
    sys.exit(main(given.run_dir, given.submission))
