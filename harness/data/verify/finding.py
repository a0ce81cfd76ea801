"""What a verification finds."""

from __future__ import annotations

from dataclasses import dataclass, replace

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing to know about a data set.

    ``error``: training or its result would be wrong, or the readers refuse the set. ``warning``: it can be used as it
    is, but differs from what it should be. ``note``: a fact, such as a count beside the paper's. ``clip_id`` is ''
    where it is about the set and not about one clip. ``check`` names the check in one word or two. ``unplannable``: no
    cell that reads the stream of this clip can be planned, as there is nothing to hash.
    """

    clip_id: str
    severity: str
    check: str
    message: str
    remedy: str = ""
    unplannable: bool = False


def at_most_warning(finding: Finding) -> Finding:
    """The finding, about something that no method of the benchmark reads: a clip is not left out for it."""
    if finding.severity != "error":
        return finding
    remedy = "nothing to do: no method of the benchmark reads it"
    return replace(finding, severity="warning", remedy=remedy, unplannable=False)


@dataclass(frozen=True)
class Checked:
    """What the checks of a data set gave. ``samples`` are the clips or images whose annotation could be read, ``files``
    those that they name, ``decoded`` those of them that gave at least one frame."""

    synthetic: bool
    samples: int
    files: int
    decoded: int
    findings: tuple[Finding, ...]
