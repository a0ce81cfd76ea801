"""How many cores a process may use, by the control groups that Linux, Docker and Kubernetes put it in."""

import pytest

from harness.executors.local import LocalExecutor
from harness.system import environment
from harness.system.environment import cpu_quota, usable_cores


@pytest.fixture
def system(tmp_path):
    """Writes files of control groups; returns what ``cpu_quota`` finds for a process of these groups."""

    def make(membership, **files):
        for path, text in files.items():
            file = tmp_path / "cgroup" / path.replace("__", "/").replace("DOT", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (tmp_path / "membership").write_text(membership)
        return cpu_quota(tmp_path / "membership", tmp_path / "cgroup")

    return make


def test_the_tightest_quota_of_version_2_counts(system):
    files = {"pods__cpuDOTmax": "150000 100000\n", "pods__job__cpuDOTmax": "max 100000\n"}
    assert system("0::/pods/job\n", **files) == 1.5


def test_a_container_sees_its_own_group_at_the_top(system):
    assert system("0::/docker/of/the/host\n", cpuDOTmax="400000 100000\n") == 4


def test_quota_of_version_1(system):
    files = {"cpu,cpuacct__a__cpuDOTcfs_quota_us": "200000\n", "cpu,cpuacct__a__cpuDOTcfs_period_us": "50000\n"}
    assert system("3:memory:/a\n2:cpu,cpuacct:/a\n", **files) == 4


@pytest.mark.parametrize("membership", ["", "0::/\n", "2:cpu:/\n1:cpuset:/\n"])
def test_no_quota_is_no_limit(system, membership):
    assert system(membership, cpuDOTmax="max 100000\n", cpu__cpuDOTcfs_quota_us="-1\n") is None


@pytest.mark.parametrize(("quota", "cores"), [(None, 8), (2.5, 2), (0.5, 1), (64.0, 8)])
def test_cores_are_whole_and_within_affinity(monkeypatch, quota, cores):
    monkeypatch.setattr(environment.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(environment, "cpu_quota", lambda: quota)
    assert usable_cores() == cores


@pytest.mark.parametrize(("jobs", "cores", "threads"), [(2, 2, 1), (1, 2, 2), (3, 8, 2), (4, 2, 1)])
def test_jobs_share_the_cores_and_take_no_more(monkeypatch, jobs, cores, threads):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "KMP_BLOCKTIME"):
        monkeypatch.setenv(name, "1")  # the executor sets what is not there
    assert LocalExecutor(jobs, cores=cores).threads == threads
