"""``--slurm KEY=VALUE,...``: options of sbatch for every job."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.errors import BadUsage
from harness.executors.slurm import client

EXAMPLE = "partition=gpu,gres=gpu:1,time=8:00:00"
OWN = (  # what the executor gives itself
    *(
        "array",
        "chdir",
        "clusters",
        "dependency",
        "error",
        "export",
        "hold",
        "input",
        "job-name",
        "nodes",
        "no-requeue",
    ),
    *("ntasks", "open-mode", "output", "parsable", "requeue", "signal", "test-only", "wait", "wrap"),
)
ALONE = ("exclusive",)  # those without a value
WARNING_S = 90.0  # before the time limit the job is asked to stop at its checkpoint


def parse(text: str) -> dict[str, str]:
    """The options by name, in order. Commas may stand within values, as in ``nodelist=n[1,3],time=60``.

    Raises:
        BadUsage: no key, no value, or an option that the executor gives itself.
    """
    found: dict[str, str] = {}
    for part in re.split(rf",(?=[a-z][a-z-]*=|(?:{'|'.join(ALONE)})(?:,|$))", text):
        key, equals, value = part.partition("=")
        if key in OWN:
            raise BadUsage(f"--slurm {part}: the harness sets {key} itself; leave it out")
        if not re.fullmatch("[a-z][a-z-]*", key) or not (value or (not equals and key in ALONE)):
            raise BadUsage(f"--slurm {part or repr(text)}: write options of sbatch as KEY=VALUE, e.g. {EXAMPLE}")
        if key in found:
            raise BadUsage(f"--slurm {part}: {key} is given twice")
        found[key] = value
    return found


def arguments(options: Mapping[str, str]) -> list[str]:
    """For sbatch's command line."""
    return [f"--{key}={value}" if value else f"--{key}" for key, value in options.items()]


def time_of(options: Mapping[str, str]) -> float | None:
    """Seconds that a job may take, None where its partition says. Raises BadUsage where that is longer than it has."""
    if "time" not in options:
        return client.time_limit_of(options.get("partition", ""))[1]
    try:
        asked = client.seconds(options["time"])
    except ValueError:
        raise BadUsage(f"--slurm time={options['time']}: is no time of Slurm's, e.g. 8:00:00 or 2-12") from None
    name, most = client.time_limit_of(options.get("partition", ""))
    if most is not None and (asked is None or asked > most):
        raise BadUsage(
            f"--slurm time={options['time']}: partition {name} allows {most / 3600:.3g} hours; jobs go on from their "
            "checkpoints, so ask for that"
        )
    return asked


def check_gpus(options: Mapping[str, str], gpus_per_job: int) -> None:
    """Raise BadUsage where a job would get another number of GPUs than processes that train it."""
    for key in ("gres", "gpus", "gpus-per-node"):
        said = options.get(key, "")
        match = re.search(r"gpu(?::[^:,]+)?:(\d+)", said) if key == "gres" else re.search(r"(\d+)$", said)
        if match and int(match[1]) != gpus_per_job:
            raise BadUsage(
                f"--slurm {key}={said}: jobs run on {gpus_per_job}; add --gpus-per-job {match[1]}, or ask for that many"
            )


def warning(limit: float | None) -> int:
    """Seconds before its time limit at which a job is asked to stop."""
    return int(WARNING_S if limit is None else max(10.0, min(WARNING_S, limit / 4)))
