"""Whether Slurm can be asked from here, and where it cannot, why and what to do."""

from __future__ import annotations

import os
import re
import shutil

from harness.errors import BadUsage
from harness.executors.slurm import client

COMMANDS = ("sbatch", "squeue", "scancel", "sinfo")
ELSEWHERE = "run on a login node of the cluster, or with --backend local"
# What Slurm's commands say, in the order in which it counts, and the line for it; {} is what is matched.
CAUSES = (
    (
        r"Could not establish a configuration source",
        f"this machine is part of no Slurm cluster: it has no slurm.conf, and no server gives it one; {ELSEWHERE}",
    ),
    (
        r"(?:Parse error|Parsing error|[^;]*needs to be specified)[^;]*",
        f"the slurm.conf of this machine cannot be used ({{}}); have it mended, {ELSEWHERE}",
    ),
    (
        r"(?i:munge [^;]*failed[^;]*|Protocol authentication error|[^;]*has authentication error)",
        "Slurm cannot prove who asks it ({}); see that munged runs on this machine and has the cluster's key "
        "(`munge -n | unmunge`), and run the same command again",
    ),
    (
        r"(?i:unable to contact[^;]*|[^;]*timed out[^;]*|communication connection failure[^;]*)",
        "no controller of the cluster answers ({}); see that slurmctld runs where slurm.conf says (`scontrol ping`), "
        "and run the same command again, or run with --backend local",
    ),
)


def check() -> None:
    """Raise BadUsage where Slurm does not answer here; one line."""
    check_installed()
    try:
        client.partitions()
    except client.SlurmError as e:
        raise BadUsage(f"--backend slurm: {explained(e)}") from None


def check_installed() -> None:
    """Raise BadUsage where this machine has no Slurm, or its settings are not there: Slurm looks for a minute."""
    if missing := [name for name in COMMANDS if shutil.which(name) is None]:
        raise BadUsage(f"--backend slurm: no Slurm here ({', '.join(missing)} not found); {ELSEWHERE}")
    named = os.environ.get("SLURM_CONF")
    if named and not os.path.exists(named):
        raise BadUsage(f"--backend slurm: SLURM_CONF={named} is not there; name the cluster's slurm.conf, {ELSEWHERE}")


def explained(e: client.SlurmError) -> str:
    """Why Slurm does not answer, and what to do; what it said itself where that is of another kind."""
    for said, line in CAUSES:
        if match := re.search(said, str(e)):
            return line.format(match[0].strip())
    return str(e)
