"""A small suite: I3D alone, Table 2 alone, on the tiny data set of the top-level fixtures."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
import yaml

from tests.helpers import ray_cluster as ray_here
from tests.helpers import slurm_cluster as slurm_here

CONFIGS = Path(__file__).resolve().parents[2] / "mm_configs"


@pytest.fixture
def small_configs(tmp_path) -> Path:
    """A copy of the configs with I3D on MGR-Dark only, and with Table 2 only."""
    return write_small_configs(tmp_path / "configs")


def write_small_configs(root: Path) -> Path:
    shutil.copytree(CONFIGS / "_base_", root / "_base_")
    shutil.copytree(CONFIGS / "i3d", root / "i3d")
    meta = yaml.safe_load((root / "i3d" / "metafile.yml").read_text(encoding="utf-8"))
    meta["Models"] = [m for m in meta["Models"] if m["Name"] in ("i3d_r50_mgr-dark-rgb", "i3d_r50_mgr-dark-depth")]
    (root / "i3d" / "metafile.yml").write_text(yaml.safe_dump(meta), encoding="utf-8")
    for path in (root / "_base_" / "models").glob("*.py"):
        path.write_text(path.read_text(encoding="utf-8").replace("num_classes=10", "num_classes=3"), encoding="utf-8")
    benchmark = yaml.safe_load((CONFIGS / "benchmark.yml").read_text(encoding="utf-8"))
    benchmark["tables"] = [t for t in benchmark["tables"] if t["id"] == "table2"]
    benchmark["figures"], benchmark["evidence"] = [], []
    (root / "benchmark.yml").write_text(yaml.safe_dump(benchmark), encoding="utf-8")
    return root


@pytest.fixture
def tiny_data(mgr_dark_root, tmp_path) -> Path:
    """A data root that holds the tiny MGR-Dark."""
    root = tmp_path / "tiny"
    root.mkdir()
    (root / "mgr_dark").symlink_to(mgr_dark_root)
    return root


@pytest.fixture(scope="session")
def slurm_cluster():
    """A Slurm of two nodes, which commands of this process and those that it starts find."""
    if reason := slurm_here.why_not():
        pytest.skip(reason)
    root = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: it holds a socket
    cluster = slurm_here.SlurmCluster(root)
    before = dict(os.environ)
    os.environ.update(cluster.environment)
    try:
        cluster.start()
        yield cluster
    finally:
        os.environ.clear()
        os.environ.update(before)
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def ray_cluster():
    """A Ray of two nodes, which this process is connected to, and which those that it starts find."""
    if reason := ray_here.why_not():
        pytest.skip(reason)
    import ray

    from harness.executors.ray.cluster import connect

    before = dict(os.environ)
    cluster = ray_here.RayCluster()
    os.environ.update(cluster.environment)
    try:
        connect("auto")
        yield cluster
    finally:
        ray.shutdown()
        os.environ.clear()
        os.environ.update(before)
        cluster.stop()
