"""Clips of the same content: equal frames, and files that are copies byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.data.verify.clips import Rules, cuts_of
from harness.data.verify.finding import Finding, at_most_warning
from harness.data.verify.videos import Video
from mtcd_plugin.formats.clips import Clip, Stream
from mtcd_plugin.formats.content import content_hashes

MEND = "put the right file there, or leave the clip out"

Place = tuple[Clip, str, Stream]  # a clip, the name of one of its streams, and that stream


def check_copies(clips: tuple[Clip, ...], videos: Mapping[str, Video], rules: Rules) -> Iterator[Finding]:
    """Windows of equal luminance, and windows of one time in copies of a file, which may be of unequal length.

    The clip of the test split is kept, then the one that is listed first.
    """
    cuts = cuts_of(clips, videos)
    contents = content_hashes([path for path, video in videos.items() if video.frames], missing_ok=True)
    shown: dict[str, Place] = {}
    filed: dict[str, list[Place]] = {}
    for clip in sorted(clips, key=lambda c: c.split != "test"):
        for name, stream in clip.streams.items():
            here = clip, name, stream
            cut = cuts.get((clip.clip_id, name))
            same = shown.setdefault(cut.digest, here) if cut else here
            content = contents.get(stream.path)  # "" for a file that was taken away meanwhile
            of_file = filed.setdefault(content, []) if content else []
            copied = next((other for other in of_file if _is_copy(stream, other[2])), None)
            of_file.append(here)
            if same is not here:
                found = _finding(here, same, f"{name} shows the same frames as", rules)
            elif copied is not None:
                found = _finding(here, copied, f"{name} file {stream.path} is a copy of", rules)
            else:
                continue
            yield from found


def _is_copy(stream: Stream, other: Stream) -> bool:
    """Whether files of equal content are two, and their windows have frames in common."""
    return stream.path != other.path and stream.start < other.end and other.start < stream.end


def _finding(here: Place, kept: Place, says: str, rules: Rules) -> Iterator[Finding]:
    """That a stream has another one's content; none about two streams of a clip where training does not read both."""
    (clip, name, _), (other, other_name, _) = here, kept
    both_read = {name, other_name} <= set(rules.required)
    if other is clip and not both_read:
        return
    leak = " of the test split" if other.split == "test" and clip.split == "train" else ""
    where = f"{other_name} of clip {other.clip_id}{leak}" if other is not clip else f"its {other_name}"
    found = Finding(clip.clip_id, "error", "copy", f"{says} {where}", MEND)
    yield found if both_read else at_most_warning(found)
