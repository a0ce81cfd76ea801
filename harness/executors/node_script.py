"""The shell script of a job on a node of a cluster: checks what the node has, then becomes the worker."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from pathlib import Path

from harness.ledger.run_dir import SPEC
from harness.worker.spec import JobSpec

NO_RUN_DIR, NO_CWD, NO_PYTHON, OTHER_PYTHON, NO_STORE = range(70, 75)
WORKER = "harness.worker"
CANNOT_START = -53  # Slurm, or Ray's actor, could not open the job's output on the node
TIMED_OUT = 124  # of timeout(1), where what it asked to stop did so
KILL_AFTER_S = 60.0  # it kills what did not

SHARED = "on a file system that all nodes share"
FAULTS = {
    CANNOT_START: f"{{run_dir}} is not there, or cannot be written to; put --work-dir {SHARED}",
    NO_RUN_DIR: f"{{run_dir}} is not there; put --work-dir {SHARED}",
    NO_CWD: f"{{cwd}} is not there, from where the harness was started; start it {SHARED}",
    NO_PYTHON: f"{{python}} is not there; install the harness {SHARED}",
    OTHER_PYTHON: f"{{python}} is not Python {{version}} with the harness of {{package}}; install both {SHARED}",
    NO_STORE: f"the clip store {{store}} is not there; put --work-dir {SHARED}, or give --no-cache",
}


def make_script(run_dir: Path, spec: JobSpec, threads: str, time_limit: float | None = None) -> str:
    """Text for a shell. The worker takes the script's place, so that signals reach it and its exit code is the job's.

    Args:
        threads: how many the worker has, as a word of the shell.
    """
    at = _places(run_dir, spec)
    q = {name: shlex.quote(text) for name, text in at.items()}
    same = shlex.quote(
        "import os, platform, sys, harness; sys.exit(not (platform.python_version() == sys.argv[1] and "
        "os.path.samefile(os.path.dirname(harness.__file__), sys.argv[2])))"
    )
    limit = "" if time_limit is None else f"timeout --kill-after={KILL_AFTER_S} {time_limit:.3f} "
    lines = [
        "#!/bin/sh",
        f'echo "{began_line(spec)} on ${{SLURMD_NODENAME:-$(uname -n)}}"',
        f"[ -f {q['run_dir']}/{SPEC} ] || exit {NO_RUN_DIR}",
        f"cd {q['cwd']} || exit {NO_CWD}",
        f"[ -x {q['python']} ] || exit {NO_PYTHON}",
        f"{q['python']} -c {same} {q['version']} {q['package']} || exit {OTHER_PYTHON}",
    ]
    if spec.clip_store and os.path.isdir(spec.clip_store):
        lines.append(f"[ -d {q['store']} ] || exit {NO_STORE}")
    lines += [
        f"threads={threads}",
        "export OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads MKL_NUM_THREADS=$threads",
        "export OMP_WAIT_POLICY=PASSIVE KMP_BLOCKTIME=0",
        f"exec {limit}{q['python']} -m {WORKER} {q['run_dir']} --threads $threads --submission {spec.submission}",
    ]
    return "\n".join(lines) + "\n"


def began_line(spec: JobSpec) -> str:
    """What begins the first line that the script writes into the log: without it, the job has not run."""
    return f"submission {spec.submission} began"


def fault_of(code: int | None, node: str, run_dir: Path, spec: JobSpec, said: str = "") -> str:
    """What a node lacks, one line; "" where the script found all that it looks for.

    Args:
        said: the last line that the node has said about it, "" for none.
    """
    if code not in FAULTS:
        return ""
    return f"node {node}: {FAULTS[code].format(**_places(run_dir, spec))}" + (f" (it said: {said})" if said else "")


def _places(run_dir: Path, spec: JobSpec) -> dict[str, str]:
    import harness

    return {
        "run_dir": str(run_dir),
        "cwd": os.getcwd(),
        "python": sys.executable,
        "version": platform.python_version(),
        "package": str(Path(harness.__file__).parent),
        "store": os.path.abspath(spec.clip_store),
    }
