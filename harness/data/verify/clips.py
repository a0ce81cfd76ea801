"""Checks of clips against what decoding their files gave: windows, rates, lengths, synchrony, darkness."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from harness.data.unread import CHOOSE, SCALE, cut_bits, other_streams
from harness.data.verify.finding import Finding, at_most_warning
from harness.data.verify.videos import ABSENT, Cut, Video
from mtcd_plugin.formats.clips import Clip, Stream
from mtcd_plugin.formats.time_stamps import LONGEST_REPEAT, cut_times, is_steady

CHECKSUM = re.compile("crc|checksum", re.IGNORECASE)
LOOK = "look at its frames; restore the file, or leave the clip out (--quarantine)"
LEAVE_OUT = "restore the file, or leave the clip out (--quarantine)"
LENGTH_REMEDY = (
    "check start and end of the window; the clip is trained on or tested as it is, and the quarantine file does not "
    "list it: add its id there to leave it out"
)
RATE_TOLERANCE = 0.01
SMALLEST_OVERLAP = 0.9  # of the longest stream
DARK_SHARE = 0.5  # a dark clip is darker than this share of its daylight take


@dataclass(frozen=True)
class Rules:
    """What holds for one data set.

    required: streams that training reads by default; findings about other streams are warnings at most.
    rates: stream -> frames per second. lengths: stream -> (shortest, longest) window in frames.
    check_log: (clip id, stream's name, stream, frames of its video) -> findings about the stream's log of time stamps;
    None for data sets without such logs. unmade: (clip id, stream) of what a synthetic set has not been given yet.
    """

    required: tuple[str, ...]
    rates: Mapping[str, float]
    lengths: Mapping[str, tuple[int, int]]
    check_log: Callable[[str, str, Stream, int], Iterable[Finding]] | None = None
    unmade: Container[tuple[str, str]] = ()


def check_clips(clips: tuple[Clip, ...], videos: Mapping[str, Video], rules: Rules) -> list[Finding]:
    """All findings about clips. ``videos`` has an entry for the file of every stream,
    its cuts in the order of ``windows_by_file``."""
    names = sorted({name for clip in clips for name in clip.streams} | set(rules.required))
    usual = {name: _usual(clips, videos, name) for name in names}
    found: list[Finding] = []
    for clip in clips:
        for name in names:
            stream = clip.streams.get(name)
            here: Iterable[Finding]
            if stream is None:
                here = () if (clip.clip_id, name) in rules.unmade else _missing_stream(clip, name, usual[name])
            else:
                here = chain(
                    _check_file(clip, name, stream, videos[stream.path]),
                    _check_rate(clip, name, stream, videos[stream.path], rules),
                    _check_times(clip, name, stream, videos[stream.path]),
                    _check_form(clip, name, videos[stream.path], usual[name]),
                    rules.check_log(clip.clip_id, name, stream, videos[stream.path].frames) if rules.check_log else (),
                )
            found += here if name in rules.required else map(at_most_warning, here)
        found += _check_length(clip, rules)
        found += _check_overlap(clip, videos, rules)
    found += _check_darkness(clips, videos)
    return found


def windows_by_file(clips: Iterable[Clip]) -> dict[str, tuple[tuple[int, int], ...]]:
    """The windows of each video file, without repetition."""
    windows: dict[str, dict[tuple[int, int], None]] = {}
    for clip in clips:
        for stream in clip.streams.values():
            windows.setdefault(stream.path, {})[stream.start, stream.end] = None
    return {path: tuple(found) for path, found in windows.items()}


def cuts_of(clips: Iterable[Clip], videos: Mapping[str, Video]) -> dict[tuple[str, str], Cut]:
    """(clip id, stream) -> the cut of its window, for every stream that could be decoded that far."""
    files = windows_by_file(clips)
    found = {}
    for clip in clips:
        for name, stream in clip.streams.items():
            place = files[stream.path].index((stream.start, stream.end))
            video = videos[stream.path]
            if video.cuts and video.cuts[place].digest:
                found[clip.clip_id, name] = video.cuts[place]
    return found


def _missing_stream(clip: Clip, name: str, usual: tuple | None) -> list[Finding]:
    if usual is None:  # no clip has it: a note about the set, not a defect of each clip
        return []
    remedy = f"leave the clip out (--quarantine); training with {name} refuses it"
    if name == "ir":
        remedy = (
            "nothing to do for a training clip: distillation trains it on its class alone, networks on ir leave it "
            "out; a test clip must be left out (--quarantine)"
        )
    refused = name != "ir" or clip.split == "test"
    text = f"has no {name} stream, other clips have"
    return [Finding(clip.clip_id, "error", "missing stream", text, remedy, unplannable=refused)]


def _check_file(clip: Clip, name: str, stream: Stream, video: Video) -> Iterable[Finding]:
    def finding(severity: str, check: str, message: str, remedy: str = LEAVE_OUT) -> Finding:
        return Finding(clip.clip_id, severity, check, f"{name} file {stream.path} {message}", remedy, video.unopened)

    window = f"[{stream.start}, {stream.end})"
    if video.problem.startswith(ABSENT):
        yield finding("error", "file", video.problem)
    elif video.problem:
        text = (
            f"{video.problem}; {video.frames} frames can be decoded{_stated(video)}" if video.frames else video.problem
        )
        yield finding("error" if stream.end > video.sound_frames else "warning", "decode", text)
    elif stream.end > video.frames + LONGEST_REPEAT or stream.start >= video.frames:
        text = f"has {video.frames} frames{_stated(video)}, but the window {window} ends beyond"
        yield finding("error", "window", text, "correct the window or restore the file, or leave the clip out")
    elif stream.end > video.frames:
        text = f"has {video.frames} frames{_stated(video)}; the window {window} reaches beyond"
        yield finding("warning", "window", text, "nothing to do: the last frame is repeated; or correct the window")
    elif video.complaint:
        severity = "error" if CHECKSUM.search(video.complaint) else "warning"
        yield finding(severity, "decode", f"made the decoder complain: {video.complaint}", LOOK)
    elif video.stated_frames and video.stated_frames != video.frames:
        text = f"has {video.frames} frames{_stated(video)}"
        yield finding("warning", "decode", text, "check the file: the window is whole, but others were lost")
    if text := other_streams(video.streams):
        yield finding("warning", "streams", text, CHOOSE)


def _check_rate(clip: Clip, name: str, stream: Stream, video: Video, rules: Rules) -> Iterable[Finding]:
    if video.fps and abs(video.fps / stream.fps - 1) > RATE_TOLERANCE:
        message = f"{name} is annotated with {stream.fps:g} fps, its file says {video.fps:g}"
        remedy = "find out which is true: frames are taken by the log's time stamps, else by the file's"
        yield Finding(clip.clip_id, "warning", "rate", message, remedy)
    expected = rules.rates.get(name)
    if expected and abs(stream.fps / expected - 1) > RATE_TOLERANCE:
        message = f"{name} has {stream.fps:g} fps where {expected:g} are expected"
        yield Finding(clip.clip_id, "warning", "rate", message, "nothing to do if it is so: sampling goes by time")


def _check_times(clip: Clip, name: str, stream: Stream, video: Video) -> Iterable[Finding]:
    """Findings about the time stamps of a file, where frames are taken by them."""
    if stream.times is not None or video.problem or not video.frames:
        return
    if video.times_problem:
        message = f"{name} file {stream.path}: {video.times_problem}; frames are taken as 1/{stream.fps:g} s apart"
        yield Finding(
            clip.clip_id, "warning", "time stamps", message, "write the file anew with time stamps, if it matters"
        )
        return
    times = _window_times(stream, video)
    if len(times) < 2:
        return
    rate = (len(times) - 1) / times[-1]
    if not is_steady(times, rate):
        steps = np.diff(times) * 1000
        away = np.abs(times - np.arange(len(times)) / rate).max() * 1000
        message = (
            f"{name} has no constant rate: its frames come {steps.min():.0f} to {steps.max():.0f} ms apart, up to "
            f"{away:.0f} ms from where {rate:.4g} fps would put them"
        )
        remedy = "nothing to do: frames are taken by their time stamps (cameras slow down in the dark)"
        yield Finding(clip.clip_id, "warning", "variable rate", message, remedy)


def _window_times(stream: Stream, video: Video) -> np.ndarray:
    """Times of a window's frames by their file, or by the annotated rate; the first one is 0."""
    if not video.times or not stream.start < video.frames or stream.end > video.frames + LONGEST_REPEAT:
        return np.arange(stream.frames) / stream.fps
    times = cut_times(video.times, stream.start, stream.end, stream.fps)
    return np.arange(stream.frames) / stream.fps if is_steady(times, stream.fps) else times


def _check_form(clip: Clip, name: str, video: Video, usual: tuple | None) -> Iterable[Finding]:
    if not video.frames or usual is None:
        return
    if (size := (video.width, video.height)) != usual[:2]:
        message = f"{name} is {size[0]}x{size[1]} where most are {usual[0]}x{usual[1]}"
        yield Finding(
            clip.clip_id, "warning", "size", message, "check the file: frames are resized, and may be distorted"
        )
    if video.codec != usual[2]:
        message = f"{name} is coded as {video.codec} where most are {usual[2]}"
        yield Finding(clip.clip_id, "warning", "codec", message, "check where the file comes from; it can be decoded")
    if cut := cut_bits(video.bits):
        yield Finding(clip.clip_id, "warning", "bits", f"{name} {cut}", SCALE)


def _check_length(clip: Clip, rules: Rules) -> Iterable[Finding]:
    wrong = []
    for name, stream in clip.streams.items():
        shortest, longest = rules.lengths.get(name, (0, stream.frames))
        if not shortest <= stream.frames <= longest:
            bounds = f"{shortest} to {longest}" if shortest != longest else str(shortest)
            wrong.append(f"{name} has {stream.frames} frames where {bounds} are expected")
    if wrong:
        yield Finding(clip.clip_id, "warning", "length", "; ".join(wrong), LENGTH_REMEDY)


def _check_overlap(clip: Clip, videos: Mapping[str, Video], rules: Rules) -> Iterable[Finding]:
    streams = [clip.streams[name] for name in rules.required if name in clip.streams]
    if len(streams) < 2:
        return
    logged = [(s.times, s.fps) for s in streams if s.times]
    if len(logged) == len(streams):
        spans = [(times[0], times[-1] + 1 / fps) for times, fps in logged]
    else:
        spans = [(0.0, _window_times(s, videos[s.path])[-1] + 1 / s.fps) for s in streams]
    shared = min(end for _, end in spans) - max(start for start, _ in spans)
    longest = max(end - start for start, end in spans)
    names = ", ".join(name for name in rules.required if name in clip.streams)
    if shared <= 0:
        message = f"{names} do not overlap in time: {-shared:.3g} s lie between them"
        yield Finding(clip.clip_id, "error", "overlap", message, "correct windows or logs, or leave the clip out")
    elif shared < SMALLEST_OVERLAP * longest:
        message = f"{names} share {shared:.3g} of {longest:.3g} s"
        yield Finding(clip.clip_id, "warning", "overlap", message, "check the windows; only the shared time is sampled")


def _check_darkness(clips: tuple[Clip, ...], videos: Mapping[str, Video]) -> Iterable[Finding]:
    cuts = cuts_of(clips, videos)
    light = {c.clip_id: cuts[c.clip_id, "rgb"].luminance for c in clips if (c.clip_id, "rgb") in cuts}
    groups = {
        lighting: [c for c in clips if c.lighting == lighting and c.clip_id in light]
        for lighting in ("dark", "daylight")
    }
    if not groups["dark"] or not groups["daylight"]:
        return
    means = {name: sum(light[c.clip_id] for c in found) / len(found) for name, found in groups.items()}
    text = f"mean luminance of dark rgb clips {means['dark']:.1f}, of daylight ones {means['daylight']:.1f} (of 255)"
    if means["dark"] >= DARK_SHARE * means["daylight"]:
        yield Finding("", "error", "dark", text, "check the column lighting, and that the files were not swapped")
    else:
        yield Finding("", "note", "dark", text)
    partners = {c.pair_id: c for c in groups["daylight"] if c.pair_id}
    for clip in groups["dark"]:
        partner = partners.get(clip.pair_id)
        other = light[partner.clip_id] if partner else means["daylight"]
        beside = f"its daylight take {partner.clip_id}" if partner else "the mean of daylight clips"
        message = f"labelled dark, with luminance {light[clip.clip_id]:.1f} beside {other:.1f} of {beside}"
        remedy = "check the column lighting; the files of the pair may be swapped"
        if light[clip.clip_id] >= other:
            yield Finding(clip.clip_id, "error", "dark", message, remedy)
        elif light[clip.clip_id] >= DARK_SHARE * other:
            yield Finding(clip.clip_id, "warning", "dark", message, remedy)


def _usual(clips: tuple[Clip, ...], videos: Mapping[str, Video], name: str) -> tuple | None:
    """Most frequent (width, height, codec) of a stream; None where no clip has the stream."""
    having = [videos[c.streams[name].path] for c in clips if name in c.streams]
    if not having:
        return None
    forms = Counter((v.width, v.height, v.codec) for v in having if v.frames)
    return max(forms, key=lambda form: forms[form]) if forms else (0, 0, "")


def _stated(video: Video) -> str:
    differs = video.stated_frames and video.stated_frames != video.frames
    return f" (its header says {video.stated_frames})" if differs else ""
