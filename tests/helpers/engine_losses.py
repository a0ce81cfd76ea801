"""``bench engines`` on a cluster of its own on this machine, which loses nodes.

``python -m tests.helpers.engine_losses slurm|ray``
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import click
import psutil

from harness import PACKAGED_CONFIGS
from harness.bench.engines import Disturbances, bench_engine, flags_of, smoke_command
from harness.cli.bench import ENGINE_CELLS
from tests.helpers.engines import RayEngine, SlurmEngine
from tests.helpers.ray_cluster import RayCluster
from tests.helpers.slurm_cluster import SlurmCluster


def workers_of(work_dir: Path) -> list[psutil.Process]:
    """The processes of jobs that run in a ledger."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            if "harness.worker" in words and any(Path(word).parent.parent == work_dir.resolve() for word in words):
                found.append(process)
    return found


def run_of(worker: psutil.Process) -> str:
    words = worker.cmdline()
    return Path(words[words.index("harness.worker") + 1]).name


class Losses:
    """Takes away the node of a job, and gives the cluster another; see ``harness.bench.engines.LoseNode``."""

    def __init__(self, engine) -> None:
        self._engine = engine

    def __call__(self, work_dir: Path, draw: random.Random) -> list[str]:
        workers = workers_of(work_dir)
        if not workers:
            return []
        first = draw.choice(workers)
        node = self._engine.node_of(first)
        hit = sorted({run_of(w) for w in workers if self._engine.node_of(w) == node})
        self._engine.lose_node_of(first.pid)
        self._engine.give_back()
        return hit


@click.command()
@click.argument("backend", type=click.Choice(["slurm", "ray"]))
@click.option("--losses", type=int, default=20, show_default=True)
@click.option("--kills", type=int, default=20, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--wait", type=float, default=None, help="Seconds between two at most.")
@click.option("--cell", "cells", multiple=True, default=ENGINE_CELLS, show_default=True)
@click.option("--data-root", type=Path, default=None, help="Data that are there.  [default: made anew]")
def main(backend, losses, kills, seed, wait, cells, data_root):
    """Disturb a smoke suite; prints JSON. Exit code 1 where anything is lost, unequal or has run twice."""
    for number in (signal.SIGINT, signal.SIGTERM):  # in the background of a script, too: the cluster ends with this
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="losses-", ignore_cleanup_errors=True) as folder:
        if backend == "slurm":
            root = Path(tempfile.mkdtemp(prefix="slurm-"))
            cluster = SlurmCluster(root)
            os.environ.update(cluster.environment)
            cluster.start()
            engine, given = SlurmEngine(cluster), {"slurm": "partition=main"}
        else:
            cluster = RayCluster()
            os.environ.update(cluster.environment)
            engine, given = RayEngine(cluster), {}
        try:
            found = bench_engine(
                Path(folder) / "bench",
                smoke_command(cells, data_root),
                flags_of(backend, given),
                Disturbances(kills, losses, Losses(engine), seed, wait),
                PACKAGED_CONFIGS,
                lambda line: click.echo(line, err=True),
            )
        finally:
            engine.end()
            if backend == "slurm":
                shutil.rmtree(root, ignore_errors=True)
    click.echo(json.dumps(found, indent=1))
    raise SystemExit(1 if found["lost"] or found["unequal"] or found["run_twice"] else 0)


if __name__ == "__main__":
    main()
