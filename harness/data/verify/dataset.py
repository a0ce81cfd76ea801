"""Verifies a data set before a GPU is touched: what is annotated, what is on the disk, and whether they agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.data.builder import check_made_to_end
from harness.data.registry import ClipDataSet, DataSet, ImageDataSet, Progress, data_set
from harness.data.verify.finding import SEVERITIES, Finding
from harness.errors import one_line
from harness.ledger.files import write_text_atomically
from mtcd_plugin.formats.text import check_place


@dataclass(frozen=True)
class Verification:
    """The outcome. ``clips`` counts clips (or images) whose annotation could be read, ``files`` the files that they
    name, ``decoded`` those of them that gave at least one frame. ``refused`` is why the reader refuses the whole
    set, which no quarantine changes; "" where it reads it."""

    dataset: str
    name: str
    root: str
    synthetic: bool
    clips: int
    files: int
    decoded: int
    findings: tuple[Finding, ...]
    refused: str = ""

    @property
    def counts(self) -> dict[str, int]:
        counts = Counter(f.severity for f in self.findings)
        return {severity: counts[severity] for severity in SEVERITIES}

    @property
    def samples(self) -> str:
        """What the data set holds: clips or images."""
        return data_set(self.dataset).samples

    @property
    def sound(self) -> bool:
        return not (self.counts["error"] or self.refused)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "counts": self.counts, "findings": [asdict(f) for f in self.findings]}


def verify_dataset(dataset: str, root: Path, processes: int = 1, progress: Progress | None = None) -> Verification:
    """Read the whole annotation, decode every file, and collect all that is wrong. Fills the cache of hashes, so that
    planning need not read the files again.

    Args:
        dataset: name of a data set.
        root: folder of the data set, or the folder that holds it under that name.
        progress: called as progress(files done, files in all).

    Raises:
        ValueError: unknown data set, or one of images that has no checks. FileNotFoundError: no such folder, the set is
        one folder further down, or not made to its end. Anything else that is wrong is a finding.
    """
    known = data_set(dataset)
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder; give the data set's folder with --data-root")
    if not (root / known.marker).exists() and (root / dataset).is_dir():
        root = root / dataset
    check_made_to_end(root)
    check_place(root, known.marker)
    if known.verify is not None:
        checked = known.verify(root, processes, progress)
    elif isinstance(known, ClipDataSet):
        from harness.data.verify.clip_set import check_clip_set, checks_of_reader

        checked = check_clip_set(root, checks_of_reader(known), processes, progress)
    else:
        raise ValueError(f"{dataset}: its package declares no checks (``verify``), so there is nothing to verify")
    order = sorted(checked.findings, key=lambda f: (SEVERITIES.index(f.severity), f.check, f.clip_id))
    return Verification(
        dataset,
        known.title,
        str(root),
        checked.synthetic,
        checked.samples,
        checked.files,
        checked.decoded,
        tuple(order),
        _refusal(known, root),
    )


def _refusal(known: DataSet, root: Path) -> str:
    """Why the reader of runs refuses the data set as it is, "" where it does not."""
    try:
        if isinstance(known, ClipDataSet):
            known.read(str(root), **known.everything)
        elif isinstance(known, ImageDataSet):
            known.read(str(root))
    except (OSError, ValueError) as error:
        return one_line(error)
    return ""


def write_quarantine(path: Path, verification: Verification) -> int:
    """Write the clips with errors, one id per line with its reason after #; returns their number.

    ``mtcd_plugin.formats.splits.read_quarantine`` reads it. An id that itself holds a # cannot be written.
    """
    reasons: dict[str, list[str]] = {}
    for finding in verification.findings:
        if finding.severity == "error" and finding.clip_id and "#" not in finding.clip_id:
            reasons.setdefault(finding.clip_id, []).append(finding.message)
    lines = [f"# clips of {verification.name} with errors, by `harness data verify`"]
    lines += [f"{clip_id}  # {'; '.join(reasons[clip_id])}" for clip_id in sorted(reasons)]
    write_text_atomically(path, "\n".join(" ".join(line.splitlines()) for line in lines) + "\n")
    return len(reasons)
