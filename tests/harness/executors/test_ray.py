"""What the Ray executor alone does, on a real cluster of two nodes (see ``test_clusters.py`` for the rest)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import BadUsage
from harness.executors.base import Resources
from harness.executors.ray.executor import RayExecutor
from harness.ledger.submission import recall
from tests.helpers.cluster_jobs import prepared

REPOSITORY = Path(__file__).resolve().parents[3]
OTHER_VERSION = """
import ray
ray.__version__ = "2.1.0"
from harness.errors import BadUsage
from harness.executors.ray.cluster import connect
try:
    connect("auto")
except BadUsage as e:
    print(e)
"""


def create(text):
    return RayExecutor.create({"ray": text, "ray_jobs": None, "detach": None}, Resources())


def test_where_a_job_goes_is_written_down_before_it_does(ray_cluster, tmp_path, monkeypatch):
    executor, task, seen = create(""), prepared(tmp_path), []

    class Actor:
        def options(self, name, **given):
            seen.append((f"{name}@{os.environ['RAY_ADDRESS']}", recall(task.folder).id))
            raise OSError("the harness is killed now")

    monkeypatch.setattr(executor, "_actor", Actor())
    with pytest.raises(OSError, match="killed now"):
        executor.submit(task.folder, Resources())
    assert seen[0][0] == seen[0][1] and executor.attach(seen[0][0]) is None


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("num_cpus=8", "--ray num_cpus=8: no node of the cluster has that; nodes have num_cpus=0,.*; num_cpus=2,"),
        ("num_gpus=1", "no node of the cluster has that"),
        ("memory=9000G", "no node of the cluster has that"),
    ],
)
def test_what_the_cluster_does_not_have_is_said_before_anything_is_submitted(ray_cluster, asked, line):
    with pytest.raises(BadUsage, match=line):
        create(asked)


def test_another_version_of_ray_is_one_line(ray_cluster):
    said = subprocess.run([sys.executable, "-c", OTHER_VERSION], cwd=REPOSITORY, capture_output=True, text=True).stdout
    assert said.count("\n") == 1 and "ersion mismatch" in said and "install the cluster's versions here" in said
