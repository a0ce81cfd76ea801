"""Slurm's commands: submit, list, signal. Jobs are told apart by their names, which are known before Slurm has them."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import BadUsage, EngineLost, QueueFull

FIELDS = ("JobID", "State", "exit_code", "NodeList", "TimeUsed", "TimeLimit", "Reason", "Name")
COMMAND_TIMEOUT_S = 120.0
FULL_AFTER_S = 10.0  # sbatch itself tries for two minutes where the queue is full; it is not waited for
OUTAGE_S = 900.0  # how long the controller may be away: it is restarted now and then
PAUSE_S = 5.0  # between attempts meanwhile
PASSING = re.compile(
    "unable to contact|timed out|temporarily|communication|connection|backup controller|try again", re.IGNORECASE
)
# Other jobs are in the queue, of this user's or of all. For limits that name themselves, ``is_full`` looks at the name.
FULL = re.compile(
    "submit limit|job queue full|unable to accept job|creation temporarily|Resource temporarily unavailable",
    re.IGNORECASE,
)
LIMIT = re.compile(r"\b(?:Assoc|QOS|Part)\w+Limit\b", re.IGNORECASE)
WAITS_FOR_NODES = re.compile("down, drained or reserved|busy", re.IGNORECASE)


log = logging.getLogger(__name__)


class SlurmError(OSError):
    """A command failed; one line: the command, and what it said."""


@dataclass(frozen=True)
class Seen:
    """What the controller says of a job. ``code``: of its batch process, negative for a signal. Times in seconds."""

    number: str
    state: str
    code: int
    node: str
    used: float | None
    limit: float | None
    reason: str

    def __str__(self) -> str:
        where = f" on {self.node}" if self.node else f" ({self.reason})" if self.reason != "None" else ""
        return f"{self.number} {self.state}{where}"


def check_accepts(options: Sequence[str]) -> None:
    """Raise BadUsage where Slurm would not take a job with these options of sbatch, or does not answer."""
    try:
        _call("sbatch", "--test-only", *options, script="#!/bin/sh\n")
    except SlurmError as e:
        if not WAITS_FOR_NODES.search(str(e)) and not is_full(str(e)):
            raise BadUsage(f"--backend slurm: {e}{_partitions()}") from None


def time_limit_of(partition: str) -> tuple[str, float | None]:
    """The name and the longest time of a partition, "" for the default one; None where it has no limit."""
    for line in _call("sinfo", "--noheader", "--format=%P|%l").splitlines():
        name, limit = line.strip().split("|")
        if name.rstrip("*") == partition or (not partition and name.endswith("*")):
            return name.rstrip("*"), seconds(limit)
    return partition, None


def submit(name: str, options: Sequence[str], script: str) -> None:
    """Hand a job to Slurm, once: where the answer was lost, the list of jobs tells whether it is there.

    Raises:
        SlurmError: Slurm does not take it.
        QueueFull: it does not take more for now.
        EngineLost: it was away for ``OUTAGE_S``.
    """
    until, away = time.monotonic() + OUTAGE_S, False
    while True:
        try:
            _call("sbatch", "--parsable", f"--job-name={name}", *options, script=script)
            return
        except SlurmError as e:
            said, full = str(e), is_full(str(e))
            if not full:
                _check_passing(e, until)
                if not away:
                    say_away(e)
                away = True
        if not full:
            time.sleep(PAUSE_S)
        try:
            if name in jobs():
                return
        except SlurmError as e:
            _check_passing(e, until)
            continue
        if full:
            raise QueueFull(f"Slurm's queue is full ({said})")


def is_full(said: str) -> bool:
    """Whether Slurm refuses a job for the number of those that it has, of which some will end."""
    limits = LIMIT.findall(said)
    return any("submit" in limit.lower() for limit in limits) if limits else bool(FULL.search(said))


def say_away(e: SlurmError) -> None:
    """To be called once for each time that the controller does not answer."""
    log.warning("waiting   %s; asked again for %.0f minutes", e, OUTAGE_S / 60)


def lost(e: SlurmError) -> EngineLost:
    """The error for a controller that has been away for ``OUTAGE_S``."""
    return EngineLost(
        f"--backend slurm: no answer for {OUTAGE_S / 60:.0f} minutes ({e}); nothing is lost, and jobs go on: run the "
        "same command once Slurm answers"
    )


def _check_passing(e: SlurmError, until: float) -> None:
    """Raise what does not pass, and EngineLost after a time on the monotonic clock."""
    if not PASSING.search(str(e)):
        raise e
    if time.monotonic() > until:
        raise lost(e) from None


def jobs() -> dict[str, Seen]:
    """This user's jobs by name, those that ended lately as well.

    Raises:
        SlurmError: the controller does not answer.
    """
    form = ",".join(f"{field}:|" for field in FIELDS[:-1]) + f",{FIELDS[-1]}:400"
    found: dict[str, Seen] = {}
    for line in _call("squeue", "--me", "--states=all", "--noheader", "-O", form).splitlines():
        parts = line.split("|", len(FIELDS) - 1)
        if len(parts) == len(FIELDS):
            number, state, code, node, used, limit, reason, name = (part.strip() for part in parts)
            found[name] = Seen(number, state, exit_code(code), node, seconds(used), seconds(limit), reason)
    return found


def accounted(name: str) -> Seen | None:
    """What the accounting says of a job that the controller has forgotten; None where there is none."""
    ask = ("sacct", "--noheader", "--parsable2", "--allocations", f"--name={name}", "--starttime=now-30days")
    try:
        said = _call(*ask, "--format=JobIDRaw,State,ExitCode,NodeList,ElapsedRaw,Reason").splitlines()
    except SlurmError:
        return None  # most small clusters keep none
    if not said or len(parts := said[-1].split("|")) != 6:
        return None
    number, state, code, node, used, reason = parts
    return Seen(number, state.split()[0], exit_code(code), node, float(used or 0), None, reason)


def signal(name: str, *options: str) -> None:
    """``scancel`` of this user's job of a name; nothing where there is none. Raises SlurmError."""
    _call("scancel", "--quiet", "--me", f"--name={name}", *options)


def exit_code(said: str) -> int:
    """Of a process, as Slurm writes it: the number of ``wait`` or ``code:signal``."""
    if ":" in said:
        code, number = (int(n) for n in said.split(":"))
    else:
        status = int(said or 0)
        code, number = status >> 8 & 0xFF, status & 0x7F
    return -number if number else code


def seconds(said: str) -> float | None:
    """A time as Slurm writes and takes it (minutes, mm:ss, hh:mm:ss, d-hh, d-hh:mm, d-hh:mm:ss); None for no limit.

    Raises:
        ValueError: it is none.
    """
    text = said.strip()
    if text.upper() in ("", "UNLIMITED", "INFINITE", "NOT_SET", "INVALID", "N/A", "PARTITION_LIMIT"):
        return None
    days, dash, rest = text.rpartition("-")
    parts = [int(n) for n in rest.split(":")]
    if len(parts) > 3 or (dash and not days):
        raise ValueError(f"{said} is no time")
    if days:
        hours, minutes, secs = (*parts, 0, 0)[:3]
    elif len(parts) == 3:
        hours, minutes, secs = parts
    else:
        hours, (minutes, secs) = 0, (*parts, 0)[:2]
    return float(((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + secs)


def _call(*command: str, script: str = "") -> str:
    try:
        done = _run(command, script)
    except subprocess.TimeoutExpired:
        raise SlurmError(f"{command[0]} timed out after {COMMAND_TIMEOUT_S:.0f} s") from None
    except FileNotFoundError:
        raise SlurmError(f"{command[0]}: not found") from None
    if done.returncode:
        prefix = re.compile(f"{command[0]}: (error: |fatal: )?")
        said = "; ".join(prefix.sub("", line.strip(), count=1) for line in done.stderr.splitlines() if line.strip())
        raise SlurmError(f"{command[0]}: {said or f'exit code {done.returncode}'}")
    return done.stdout


def _run(command: Sequence[str], script: str) -> subprocess.CompletedProcess[str]:
    """Raises TimeoutExpired; what waits for room in the queue is ended before that, as if it had failed."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment()
    ) as process:
        try:
            try:
                out, err = process.communicate(script, FULL_AFTER_S)
            except subprocess.TimeoutExpired as e:
                said = e.stderr.decode(errors="replace") if isinstance(e.stderr, bytes) else e.stderr or ""
                if is_full(said):
                    process.kill()
                out, err = process.communicate(timeout=COMMAND_TIMEOUT_S - FULL_AFTER_S)
        finally:
            process.kill()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _environment() -> dict[str, str]:
    """Without what would change the form of answers, and without the settings of a job that the harness may run in.

    Options for sbatch from the environment stay.
    """
    dropped = re.compile("(SQUEUE|SINFO|SCANCEL|SACCT)_.*|SLURM_(?!CONF$).*")
    return {name: value for name, value in os.environ.items() if not dropped.fullmatch(name)}


def partitions() -> list[str]:
    """Names of the cluster's partitions. Raises SlurmError."""
    return list(dict.fromkeys(_call("sinfo", "--noheader", "--format=%R").split()))


def _partitions() -> str:
    try:
        names = partitions()
    except SlurmError:
        return ""
    return f"; partitions here: {', '.join(names)}" if names else ""
