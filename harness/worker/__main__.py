"""``python -m harness.worker RUN_DIR``: runs the job whose ``job.json`` stands in a run's folder."""

from __future__ import annotations

import argparse
import atexit
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from harness.ledger.logs import log_tail, open_standard_files
from harness.ledger.run_dir import LOG, SPEC
from harness.system.gc_pause import gc_paused
from harness.worker.scipy_later import scipy_stats_later


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Exits with code 2 where the folder has no job or a value is not valid."""
    parser = argparse.ArgumentParser(prog="python -m harness.worker", description="Run the job of a run's folder.")
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the run's folder, which holds job.json")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="CPU threads (default: 1)")
    parser.add_argument(
        "--device",
        default=os.environ.get("CUDA_VISIBLE_DEVICES") or None,
        metavar="IDS",
        help="GPUs, as CUDA_VISIBLE_DEVICES names them (default: that variable; without it the CPU)",
    )
    parser.add_argument(
        "--submission", default="", metavar="TOKEN", help="run only the job of this token (default: whatever is there)"
    )
    args = parser.parse_args(argv)
    if args.threads < 1:
        parser.error(f"--threads {args.threads}: at least 1 is needed")
    if not (args.run_dir / SPEC).is_file():
        parser.error(f"{args.run_dir}: has no {SPEC}; name the folder of a run that the harness has prepared")
    return args


def load() -> Callable[..., int]:
    """What runs a job, with torch and MMAction2, which are not needed to say what is wrong with the options."""
    with gc_paused(), scipy_stats_later():  # a third of the time would go into looking for garbage among what stays
        from harness.worker.attempt import main
    return main


def run(argv: list[str] | None = None) -> int:
    """Run the job; returns the exit code. How it ended without a record is said here too, not in the log alone."""
    open_standard_files()
    options = parse(argv)
    main = load()
    terminal, code = os.dup(2), 1  # from here on what is printed goes to the log
    try:
        code = main(options.run_dir, options.threads, options.device, options.submission)
    except Exception:  # noqa: BLE001  of the worker itself
        traceback.print_exc()
    if code:
        said = " ".join(log_tail(options.run_dir, 1)) or "ended without a word"
        os.write(terminal, f"{said} (exit code {code}; {options.run_dir / LOG} has the rest)\n".encode())
    return code


def leave(code: int) -> NoReturn:
    """End this process as ``sys.exit`` does, but for taking apart what it has imported, which others wait for."""
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None where it was closed before this process began
        with suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(run())
