"""What a run was made with: versions, hardware, commit. Cheap to ask; imports nothing heavy."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from harness.system.git import GitError, git

PACKAGES = (
    "torch",
    "mmaction2",
    "mmengine",
    "mmcv-lite",
    "mmcv",
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "av",
    "decord",
    "pandas",
    "pyarrow",
    "scipy",
)


@lru_cache
def environment() -> dict[str, str]:
    """Python, platform, and the versions of the packages that a result depends on."""
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@lru_cache
def hardware() -> dict[str, str]:
    """CPU, cores, memory and, where torch is already imported, the GPU."""
    import sys

    import psutil

    found = {
        "cpu": cpu_model(),
        "cores": str(usable_cores()),
        "memory_gib": f"{psutil.virtual_memory().total / 2**30:.0f}",
        "gpu": "none",
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        found["threads"] = str(torch.get_num_threads())
        if torch.cuda.is_available():
            found["gpu"] = torch.cuda.get_device_name(0)
    return found


def usable_cores() -> int:
    """How many CPU cores this process may use: those that it may run on, and no more than its control groups give it
    time of (whole cores, at least one)."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def cpu_quota(membership: Path = Path("/proc/self/cgroup"), groups: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Cores' worth of time that the control groups of this process allow (``docker run --cpus 1.5``, a pod's limit);
    None where they set no limit.

    Args:
        membership: the groups of the process, a line each: ``0::PATH`` (version 2) or ``N:CONTROLLERS:PATH`` (1).
        groups: where they are mounted. A container may see its own group there, whatever PATH says.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        for mount in {groups, groups / "unified"} if not controllers else {groups / controllers, groups / "cpu"}:
            place = mount / path.strip("/")
            found += [_quota_of(folder) for folder in (place, *place.parents) if folder.is_relative_to(mount)]
    return min((q for q in found if q is not None), default=None)


def _quota_of(group: Path) -> float | None:
    """Cores' worth of time that one control group allows."""
    try:
        if (group / "cpu.max").is_file():
            quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
        else:
            quota, period = (
                (group / f"cpu.cfs_{part}_us").read_text(encoding="ascii").strip() for part in ("quota", "period")
            )
    except (OSError, ValueError):
        return None
    return None if quota in ("max", "-1") else int(quota) / int(period)


def cpu_model() -> str:
    """The CPU's name as the kernel gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux: platform's own name is what there is
    return platform.processor() or platform.machine()


@lru_cache
def commit() -> str:
    """The harness's git commit, "" outside a git checkout of it.

    ``-dirty`` is appended where a clone of it would be another: tracked files were changed, or configs are not tracked.

    A repository that merely surrounds an installed harness does not track its files, and says nothing of it.
    """
    root = Path(__file__).resolve().parents[2]
    try:
        git(root, "ls-files", "--error-unmatch", "--", str(Path(__file__).resolve()))
        head = git(root, "rev-parse", "HEAD")
        dirty = git(root, "status", "--porcelain", "--untracked-files=no", "--", ".")
        dirty += git(root, "status", "--porcelain", "--untracked-files=all", "--", "mm_configs")
    except GitError:
        return ""
    return f"{head[:12]}{'-dirty' if dirty else ''}"
