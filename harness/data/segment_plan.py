"""Which frames of which recording become which clip: gestures annotated in rgb frames, put on every stream's clock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.data.finding import Finding
from harness.data.recordings import Recordings, Segment, plain
from harness.data.segment_video import FPS
from mtcd_plugin.formats.sampling import nearest_indices
from mtcd_plugin.formats.video import VideoInfo, probe


@dataclass(frozen=True)
class ClipFile:
    """One stream of one clip: where from, where to."""

    clip_id: str
    modality: str
    source: str
    file: str  # relative to the output
    indices: tuple[int, ...]

    @property
    def note(self) -> str:
        return f"{self.clip_id}.{self.modality}.json"


def plan_clips(
    root: Path, recordings: Recordings, shortest: int, longest: int
) -> tuple[dict[str, list[ClipFile]], list[Finding]]:
    """clip id -> its files, for every gesture that can be cut; a finding for each of the others.

    A gesture of rgb frames [start, end) lasts from start / fps to end / fps of the recording's clock and becomes
    round(25 x duration) frames 1 / 25 s apart, each the one of its stream that is nearest in time. It is cut when every
    stream of its recording covers it, up to one frame at the ends.
    """
    found: list[Finding] = []
    planned: dict[str, list[ClipFile]] = {}
    infos: dict[str, VideoInfo | str] = {}
    for segment in recordings.segments:
        try:
            planned[segment.clip_id] = _files(root, segment, shortest, longest, infos)
        except _NotCut as reason:
            found.append(Finding(segment.clip_id, *reason.args))
    return planned, found


class _NotCut(Exception):
    """severity, check, message, remedy"""


def _files(root: Path, segment: Segment, shortest: int, longest: int, infos: dict) -> list[ClipFile]:
    sources = segment.recording.sources
    for source in sources.values():
        path = str(root / source.file)
        if path not in infos:
            infos[path] = _probe(path)
        if isinstance(infos[path], str):
            raise _NotCut("error", "unreadable", infos[path], "restore the file and run again")
    rates = {m: s.fps or infos[str(root / s.file)].fps for m, s in sources.items()}
    for modality, rate in rates.items():
        if not rate > 0:
            text = f"{sources[modality].file} does not say its frame rate"
            raise _NotCut("error", "unreadable", text, f"give {modality}_fps in recordings.csv")
    begin, end = segment.start / rates["rgb"], segment.end / rates["rgb"]
    count = round((end - begin) * FPS)
    if not shortest <= count <= longest:
        check = "too short" if count < shortest else "too long"
        text = f"{segment.gesture}: {count} frames at {FPS} fps ({end - begin:.2f} s), expected {shortest} to {longest}"
        raise _NotCut("warning", check, text, "check the line of segments.csv")
    times = begin + np.arange(count) / FPS
    files = []
    for modality, source in sources.items():
        path = str(root / source.file)
        stamps = source.offset + np.arange(infos[path].frames) / rates[modality]
        period = 1 / rates[modality]
        beyond = modality == "rgb" and segment.end > infos[path].frames
        if beyond or times[0] < stamps[0] - period or times[-1] > stamps[-1] + period:
            text = (
                f"{segment.gesture} lasts from {begin:.2f} to {end:.2f} s, {modality} from {stamps[0]:.2f} to "
                f"{stamps[-1] + period:.2f} s"
            )
            raise _NotCut("warning", "no match", text, "check the window and the offset")
        file = f"clips/{segment.recording.lighting}/{modality}/{plain(segment.gesture)}/{segment.clip_id}.mp4"
        indices = tuple(nearest_indices(stamps, times).tolist())
        files.append(ClipFile(segment.clip_id, modality, path, file, indices))
    return files


def _probe(path: str) -> VideoInfo | str:
    """What a recording is, or why it cannot be cut."""
    try:
        info = probe(path)
    except (ValueError, OSError) as error:
        return str(error)
    if not info.frames:
        return f"{path}: holds no frame"
    if info.width % 2 or info.height % 2:
        return f"{path}: {info.width}x{info.height} cannot be kept as H.264, which needs even sizes"
    return info
