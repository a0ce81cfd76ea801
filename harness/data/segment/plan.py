"""Which frames of which recording become which clip: gestures annotated in rgb frames, put on every stream's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.data.segment.recordings import Recordings, Segment, plain
from harness.data.segment.video import FPS
from harness.data.unusable import more_of
from harness.data.verify.finding import Finding
from mtcd_plugin.formats.sampling import nearest_indices
from mtcd_plugin.formats.time_stamps import TimeStamps, is_steady, read_time_stamps
from mtcd_plugin.formats.video import probe


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

    A gesture of rgb frames [start, end) lasts from the time of frame start to that of frame end and becomes
    round(25 x duration) frames 1 / 25 s apart, each the one of its stream that is nearest in time. It is cut when every
    stream of its recording covers it, up to one frame at the ends.
    """
    found: list[Finding] = []
    planned: dict[str, list[ClipFile]] = {}
    infos: dict[str, TimeStamps | str] = {}
    for segment in recordings.segments:
        try:
            planned[segment.clip_id] = _files(root, segment, shortest, longest, infos)
        except _NotCut as reason:
            found.append(Finding(segment.clip_id, *reason.args))
    return planned, found + _other_rates(root, recordings, infos)


class _NotCut(Exception):
    """severity, check, message, remedy"""


def _files(root: Path, segment: Segment, shortest: int, longest: int, infos: dict) -> list[ClipFile]:
    sources = segment.recording.sources
    stamps, rates = {}, {}
    for modality, source in sources.items():
        path = str(root / source.file)
        if path not in infos:
            infos[path] = _probe(path)
        if isinstance(infos[path], str):
            raise _NotCut("error", "unreadable", infos[path], "restore the file and run again")
        rates[modality] = source.fps or infos[path].rate
        if not rates[modality] > 0:
            text = f"{source.file} has no frame rate in its header"
            raise _NotCut("error", "unreadable", text, f"give {modality}_fps in recordings.csv")
        stamps[modality] = _times(infos[path], rates[modality])
    begin, end = (_moment(stamps["rgb"], number, rates["rgb"]) for number in (segment.start, segment.end))
    count = round((end - begin) * FPS)
    if not shortest <= count <= longest:
        check = "too short" if count < shortest else "too long"
        text = f"{segment.gesture}: {count} frames at {FPS} fps ({end - begin:.2f} s), expected {shortest} to {longest}"
        raise _NotCut("warning", check, text, "check the line of segments.csv")
    times = begin + np.arange(count) / FPS
    files = []
    for modality, source in sources.items():
        path = str(root / source.file)
        own = source.offset + stamps[modality]
        beyond = modality == "rgb" and segment.end >= len(own)
        if beyond or times[0] < own[0] - 1 / rates[modality] or times[-1] > own[-1]:
            text = (
                f"{segment.gesture} lasts from {begin:.2f} to {end:.2f} s, {modality} from {own[0]:.2f} to "
                f"{own[-1]:.2f} s"
            )
            raise _NotCut("warning", "no match", text, "check the window and the offset")
        file = f"clips/{segment.recording.lighting}/{modality}/{plain(segment.gesture)}/{segment.clip_id}.mp4"
        indices = tuple(nearest_indices(own[:-1], times).tolist())
        files.append(ClipFile(segment.clip_id, modality, path, file, indices))
    return files


def _times(stamps: TimeStamps, rate: float) -> np.ndarray:
    """Seconds of a recording's frames, the first at 0, and the end of the last one: by its time stamps, or 1 / ``rate``
    apart where they are so or it has none."""
    if stamps.seconds is None or is_steady(stamps.seconds, rate):
        return np.arange(stamps.frames + 1) / rate
    return np.append(stamps.seconds, stamps.seconds[-1] + 1 / stamps.rate)


def _moment(times: np.ndarray, number: int, rate: float) -> float:
    """When frame ``number`` begins; beyond the end of the recording, at the given rate."""
    beyond = max(0, number - len(times) + 1)
    return float(times[number - beyond]) + beyond / rate


def _other_rates(root: Path, recordings: Recordings, infos: Mapping[str, TimeStamps | str]) -> list[Finding]:
    """A finding for each file whose time stamps are not those of the rate in recordings.csv."""
    sources = {
        (s.file, s.fps): m for segment in recordings.segments for m, s in segment.recording.sources.items() if s.fps
    }
    found = []
    for (file, fps), modality in sources.items():
        stamps = infos.get(str(root / file))
        if isinstance(stamps, TimeStamps) and stamps.seconds is not None and not is_steady(stamps.seconds, fps):
            text = f"{file}: {modality}_fps is {fps:g}, its time stamps say {stamps.rate:.4g} on average; they count"
            found.append(Finding("", "warning", "rate", text, f"correct {modality}_fps, or leave it empty"))
    return found


def _probe(path: str) -> TimeStamps | str:
    """When a recording's frames were taken, or why it cannot be cut."""
    try:
        info = probe(path)
        if info.width % 2 or info.height % 2:
            return f"{path}: {info.width}x{info.height} cannot be kept as H.264, which needs even sizes"
        return read_time_stamps(path)
    except (ValueError, OSError) as error:
        return f"{error}{more_of(path)}"
