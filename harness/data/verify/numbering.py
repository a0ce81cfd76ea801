"""Whether the windows of an annotation count frames from 1, as MATLAB and many annotation tools do, or from 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.data.verify.finding import Finding
from harness.data.verify.videos import Video
from mtcd_plugin.formats.clips import Clip

SHARE = 0.9  # of the windows of whole files that must look so
FEWEST = 3  # windows [1, n] of n frames, which might also leave out a first frame on purpose


def one_based(clips: tuple[Clip, ...], videos: Mapping[str, Video], findings: list[Finding]) -> list[Finding]:
    """The findings, with one for the whole set in the place of all those about windows that reach a frame beyond
    their file, where the cause is that frames are counted from 1.

    Then the windows of files of n frames are [1, n + 1), or [1, n] where the last frame is named.
    """
    whole, shifted = 0, 0
    beyond: dict[str, list[tuple[str, str]]] = {}  # clip -> how findings about its windows begin, and the window
    for clip in clips:
        for name, stream in clip.streams.items():
            frames = videos[stream.path].frames
            if not frames or stream.start > 1 or abs(stream.end - frames) > 1:
                continue
            whole += 1
            if stream.start == 1 and stream.end >= frames:
                shifted += 1
            if stream.start == 1 and stream.end > frames:
                beyond.setdefault(clip.clip_id, []).append((f"{name} file ", f"window [1, {stream.end})"))
    if shifted < max(1, SHARE * whole) or (not beyond and shifted < FEWEST):
        return findings
    last_named = sum(map(len, beyond.values())) < shifted / 2
    message = (
        f"{shifted:,} of {whole:,} windows over whole files of n frames are "
        f"{'[1, n]' if last_named else '[1, n + 1)'}: "
        "frames seem to be counted from 1; here they count from 0, and end is the frame after the last"
    )
    remedy = f"subtract 1 from every start{'' if last_named else ' and end'}; as it is, each clip lacks its first frame"
    rest = [f for f in findings if not _is_about(f, beyond.get(f.clip_id, ()))]
    return [*rest, Finding("", "warning", "numbering", message, remedy)]


def _is_about(finding: Finding, windows: Iterable[tuple[str, str]]) -> bool:
    found = finding.check == "window" and finding.severity == "warning"
    return found and any(finding.message.startswith(file) and window in finding.message for file, window in windows)
