"""``python -m harness.worker RUN_DIR``: runs the job whose ``job.json`` stands in a run's folder."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from harness.ledger.run_dir import SPEC


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
    args = parser.parse_args(argv)
    if args.threads < 1:
        parser.error(f"--threads {args.threads}: at least 1 is needed")
    if not (args.run_dir / SPEC).is_file():
        parser.error(f"{args.run_dir}: has no {SPEC}; name the folder of a run that the harness has prepared")
    return args


if __name__ == "__main__":
    options = parse()
    from harness.worker.attempt import main  # torch and MMAction2, not needed to say what is wrong with the options

    sys.exit(main(options.run_dir, options.threads, options.device))
