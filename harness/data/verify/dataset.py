"""Verifies a data set before a GPU is touched: what is annotated, what is on the disk, and whether they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.data.verify.annotations import Annotation, annotated_mgr_dark, annotated_nvgesture
from harness.data.verify.clips import Rules, check_clips, windows_by_file
from harness.data.verify.finding import SEVERITIES, Finding
from harness.data.verify.numbering import one_based
from harness.data.verify.paper import notes_mgr_dark, notes_nvgesture, unlisted
from harness.data.verify.sysu import check_sysu_mm01
from harness.data.verify.videos import Video, scan_videos
from harness.errors import BadUsage, unknown_name
from harness.ledger.files import write_text_atomically
from mtcd_plugin.formats import mgr_dark, nvgesture, sysu
from mtcd_plugin.formats.content import renew_content
from mtcd_plugin.formats.nvgesture import DEFAULT_STREAMS, STREAMS
from mtcd_plugin.formats.text import check_place

# file or folder that tells a data set's root
MARKS = {"mgr_dark": mgr_dark.MARK, "nvgesture": nvgesture.MARK, "sysu_mm01": sysu.MARK}
MGR_DARK = Rules(
    required=("rgb", "depth", "ir"),
    rates=dict.fromkeys(("rgb", "depth", "ir"), 25.0),
    lengths=dict.fromkeys(("rgb", "depth", "ir"), (45, 210)),
)
NVGESTURE = Rules(
    required=tuple(DEFAULT_STREAMS.values()),
    rates={name: fps for name, (fps, _) in STREAMS.items()},
    lengths={name: (80, 80) if name.startswith("sk") else (93, 93) for name in STREAMS},
    logs=True,
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Verification:
    """The outcome. ``clips`` counts clips whose annotation could be read (images for SYSU-MM01), ``files`` the files
    that they name, ``decoded`` those of them that gave at least one frame."""

    dataset: str
    name: str
    root: str
    synthetic: bool
    clips: int
    files: int
    decoded: int
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        counts = Counter(f.severity for f in self.findings)
        return {severity: counts[severity] for severity in SEVERITIES}

    @property
    def sound(self) -> bool:
        return not self.counts["error"]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "counts": self.counts, "findings": [asdict(f) for f in self.findings]}


def verify_dataset(dataset: str, root: Path, processes: int = 1, progress: Progress | None = None) -> Verification:
    """Read the whole annotation, decode every file, and collect all that is wrong. Fills the cache of hashes, so that
    planning need not read the files again.

    Args:
        dataset: mgr_dark, nvgesture or sysu_mm01.
        root: folder of the data set, or the folder that holds it under that name.
        progress: called as progress(files done, files in all).

    Raises:
        ValueError: unknown data set. FileNotFoundError: no such folder, or the set is one folder further down.
        Anything else that is wrong is a finding.
    """
    if dataset not in MARKS:
        raise BadUsage(unknown_name("data set", dataset, MARKS))
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder; give the data set's folder with --data-root")
    if not (root / MARKS[dataset]).exists() and (root / dataset).is_dir():
        root = root / dataset
    check_place(root, MARKS[dataset])
    if dataset == "sysu_mm01":
        images, decoded, synthetic, found = check_sysu_mm01(root, processes, progress)
        found += content_findings(root, [str(p) for p in root.glob("cam*/*/*.jpg")])
        return _verification(dataset, "SYSU-MM01", root, synthetic, images, images, decoded, found)
    mgr = dataset == "mgr_dark"
    annotation = annotated_mgr_dark(root) if mgr else annotated_nvgesture(root)
    videos = scan_videos(windows_by_file(annotation.clips), processes, progress)
    rules = MGR_DARK if mgr else NVGESTURE
    found = [*annotation.findings, *check_clips(annotation.clips, videos, rules)]
    found = one_based(annotation.clips, videos, found)
    found += content_findings(root, list(videos))
    if mgr:
        found += notes_mgr_dark(annotation, _sizes(annotation, videos))
        found += unlisted(root, annotation.clips, "clips", ".mp4")
    else:
        found += notes_nvgesture(annotation)
        found += unlisted(root, annotation.clips, "Video_data", ".avi")
    clips, decoded = len(annotation.clips), sum(video.frames > 0 for video in videos.values())
    return _verification(dataset, annotation.name, root, annotation.synthetic, clips, len(videos), decoded, found)


def content_findings(root: Path, paths: list[str]) -> list[Finding]:
    """Read the content of all files into the cache of hashes; a finding where it had another one of a file whose size
    and times are the same."""
    changed = sorted(renew_content(paths))
    if not changed:
        return []
    text = (
        f"{len(changed)} files have other content than when they were read last, with the same size and times; the "
        f"first is {Path(changed[0]).relative_to(root)}"
    )
    remedy = "nothing to do now: runs on the old content are stale from here on; find out what wrote to the files"
    return [Finding("", "warning", "content", text, remedy)]


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


def _verification(dataset, name, root, synthetic, clips, files, decoded, found) -> Verification:
    order = sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.check, f.clip_id))
    return Verification(dataset, name, str(root), synthetic, clips, files, decoded, tuple(order))


def _sizes(annotation: Annotation, videos: dict[str, Video]) -> dict[str, tuple[int, int]]:
    """The most frequent size of each modality."""
    sizes: dict[str, Counter] = {}
    for clip in annotation.clips:
        for name, stream in clip.streams.items():
            if (video := videos[stream.path]).frames:
                sizes.setdefault(name, Counter())[video.width, video.height] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in sizes.items()}
