"""A Slurm of two nodes on this machine, with daemons, ports and keys of its own; Debian's packages are enough."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.helpers import memory_group

NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
PATIENCE = 120.0

CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd-%n.log
Prolog={root}/prolog
ProctrackType=proctrack/linuxproc
TaskPlugin={task}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,batch_sched_delay=0
SlurmctldTimeout=30
SlurmdTimeout={node_timeout}
ReturnToService=2
MpiDefault=none
KillWait=5
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName={nodes[0]} NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs=1 RealMemory=2000
NodeName={nodes[1]} NodeHostname={host} NodeAddr=127.0.0.1 Port={second} CPUs=1 RealMemory=2000
PartitionName=main Nodes=ALL Default=YES State=UP
PartitionName=short Nodes=ALL MaxTime=1 State=UP
"""

LIMITS = """
CgroupPlugin=cgroup/v1
CgroupMountpoint={mount}
ConstrainRAMSpace=yes
"""


def why_not() -> str:
    """Why such a cluster cannot be started here, "" where it can."""
    if missing := [name for name in NEEDED if shutil.which(name, path=_path()) is None]:
        return f"no Slurm here ({', '.join(missing)}): apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "Slurm's daemons are started by root"


class SlurmCluster:
    """Two nodes with a core each, and with limits on the memory of jobs where this machine lets a user set them.

    Args:
        root: an empty folder with a short path. node_timeout: seconds after which a node that is silent is lost.
    """

    def __init__(self, root: Path, node_timeout: int = 10) -> None:
        self.root = root
        self.nodes = [f"n{i}x{os.getpid()}" for i in (1, 2)]  # the system's groups of a node's jobs have its name
        for name in ("state", *(f"spool/{node}" for node in self.nodes)):
            (root / name).mkdir(parents=True)
        limits = not memory_group.why_not()
        values = {
            "host": socket.gethostname(),
            "root": root,
            "user": getpass.getuser(),
            "node_timeout": node_timeout,
            "nodes": self.nodes,
            "task": "task/cgroup" if limits else "task/none",
        }
        ports = dict(zip(("controller", "first", "second"), _free_ports(3), strict=True))
        self._no_prolog = root / "no-prolog"
        (root / "prolog").write_text(f"#!/bin/sh\n[ ! -e {self._no_prolog} ]\n", encoding="utf-8")
        (root / "prolog").chmod(0o755)
        self.conf = root / "slurm.conf"
        self.conf.write_text(CONF.format(**values, **ports).lstrip(), encoding="utf-8")
        if limits:
            (root / "cgroup.conf").write_text(LIMITS.format(mount=memory_group.MOUNT.parent).lstrip())
        self.environment = {"SLURM_CONF": str(self.conf), "PATH": _path()}

    def start(self) -> None:
        key = self.root / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        files = {name: f"--{name}={self.root}/munge.{name[:3]}" for name in ("pid-file", "log-file", "seed-file")}
        self._run("munged", "--force", f"--socket={self.root}/munge.socket", f"--key-file={key}", *files.values())
        self._run("slurmctld")
        for node in self.nodes:
            self.start_node(node)
        self.until_up()

    def start_node(self, name: str) -> None:
        self._run("slurmd", "-N", name)

    def until_up(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.states() != ["idle", "idle"]:
            assert time.monotonic() < deadline, f"nodes are {self.states()}, {self.root} has the logs"
            time.sleep(0.2)

    def states(self) -> list[str]:
        return self.ask("sinfo", "--noheader", "--Node", "--partition=main", "--format=%t").split()

    def fail_prologs(self, fail: bool) -> None:
        """Whether what a node does before a job fails: Slurm drains such a node. False: all nodes are given back."""
        if fail:
            self._no_prolog.touch()
            return
        self._no_prolog.unlink()
        for node in self.nodes:
            self.ask("scontrol", "update", f"nodename={node}", "state=resume")
        self.until_up()

    @contextmanager
    def room_for(self, jobs: int) -> Iterator[None]:
        """The controller takes so many jobs more than it knows now; it is started anew for that."""
        known = len(self.ask("squeue", "--noheader", "--states=all").splitlines())
        text = self.conf.read_text(encoding="utf-8")
        self._restart(f"{text}MaxJobCount={known + jobs + 1}\nMinJobAge=100000\n")
        try:
            yield
        finally:
            self._restart(text)

    def _restart(self, conf: str) -> None:
        """The controller, with other settings."""
        self.conf.write_text(conf, encoding="utf-8")
        pid = self._pid("slurmctld")
        os.kill(pid, signal.SIGTERM)
        psutil.Process(pid).wait(PATIENCE)
        self._run("slurmctld")
        self.until_up()

    def kill_node(self, name: str) -> None:
        """As a node is lost: its daemon and the jobs on it are gone, without a word."""
        pid = self._pid(f"slurmd-{name}")
        for job in [pid, *self._jobs_of(name)]:
            _kill(job)

    def stop(self) -> None:
        for name in ("slurmctld", *(f"slurmd-{node}" for node in self.nodes), "munge"):
            _kill(self._pid(name))
        for node in self.nodes:
            for pid in self._jobs_of(node):
                _kill(pid)
            memory_group.remove(f"slurm_{node}")

    def ask(self, *command: str) -> str:
        return subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60
        ).stdout

    def _jobs_of(self, name: str) -> list[int]:
        """Ids of the processes of jobs on a node, those that watch them first."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.name().startswith("slurmstepd"):
                    started = process.children(recursive=True)
                    if any(self._is_of(name, p.environ()) for p in started):
                        found += [process.pid, *(p.pid for p in started)]
            except psutil.Error:
                continue
        return found

    def _is_of(self, name: str, environment: dict[str, str]) -> bool:
        return environment.get("SLURMD_NODENAME") == name and environment.get("SLURM_CONF") == str(self.conf)

    def _pid(self, name: str) -> int:
        """Of a daemon that this cluster has started, 0 where the process of that id is another by now."""
        try:
            pid = int((self.root / f"{name}.pid").read_text())
            ours = psutil.Process(pid).environ().get("SLURM_CONF") == str(self.conf)
        except (FileNotFoundError, ValueError, psutil.Error):
            return 0
        return pid if ours else 0

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def _kill(pid: int) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
