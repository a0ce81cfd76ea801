"""Executors with engines, and jobs on them that train nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.cluster_jobs import empty, quicken
from tests.helpers.engines import ENGINES

REPOSITORY = Path(__file__).resolve().parents[3]
CLUSTERS = ("slurm", "ray")


@pytest.fixture
def engine_of(request):
    """Makes the engine of a name; a cluster that cannot be started here skips the test."""

    def make(name):
        if name not in ENGINES:
            pytest.skip(f"{name}: its engine is not known to these tests")
        return ENGINES[name](request.getfixturevalue(f"{name}_cluster") if name in CLUSTERS else None)

    return make


@pytest.fixture(params=CLUSTERS)
def engine(request, engine_of, monkeypatch):
    """A cluster whose jobs train nothing."""
    engine = engine_of(request.param)
    quicken(engine, monkeypatch)
    return engine


@pytest.fixture
def work_dir(engine, tmp_path):
    """A ledger whose jobs end with the test."""
    yield tmp_path
    empty(engine, tmp_path)


@pytest.fixture
def quick(engine, work_dir):
    return engine.executor()


@pytest.fixture
def driver(engine, work_dir):
    """Starts a harness of its own, which ends with the test."""
    started = []

    def start(mode, slots=16):
        path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "tests.helpers.cluster_jobs", engine.name, str(work_dir), mode, str(slots)]
        started.append(subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": path}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
