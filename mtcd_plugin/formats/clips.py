"""Clips and their streams: what every reader returns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mtcd_plugin.formats.content import content_hashes
from mtcd_plugin.formats.regular import regular_stat

MODALITIES = ("rgb", "depth", "ir", "pseudo_ir", "flow")
CHANNELS = {"rgb": 3, "flow": 2}  # of a frame; of every other modality 1
Spans = tuple[tuple[int, int], ...]  # first and last frame of a stream, in order of time
_json = json.JSONEncoder(separators=(",", ":")).encode
RENDERED_FROM = {"pseudo_ir": "rgb", "flow": "rgb"}  # read from a store, frame by frame beside this stream


@dataclass(frozen=True)
class Stream:
    """One modality of a clip: frames [start, end) of a video file.

    ``times`` holds the time stamp of each of these frames in seconds of a clock that the clip's streams
    share, or None where there is none; ``clock`` says which, and why ("log", "fps", "fps: the log is empty").
    """

    path: str
    start: int
    end: int
    fps: float
    times: tuple[float, ...] | None = None
    clock: str = "fps"

    @property
    def frames(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Clip:
    """One sample: a gesture of one subject in one or more synchronised streams."""

    clip_id: str
    subject: str
    label: int
    split: str  # train | test
    streams: dict[str, Stream] = field(hash=False)
    scene: str = ""
    lighting: str = ""  # dark | daylight | "" where the set has no such thing
    pair_id: str = ""  # equal for the dark and the daylight take
    spans: Spans = ()  # of the gesture, in frames of the colour video; none: all of the clip is the gesture


@dataclass(frozen=True)
class ClipTable:
    """A data set: every clip of both splits, and the class names in label order."""

    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    synthetic: bool
    name: str


def fingerprint(clips: Iterable[Clip], modalities: Sequence[str], missing_modality: Container[str] = ()) -> str:
    """sha256 hex of what training sees of these clips: ids, labels, subjects, splits, windows, frame rates,
    time stamps, spans, and contents (``content.py``) of the files of the given modalities. Neither paths nor times of
    modification count.

    Videos that were encoded anew are other data, also where they show the same: a built-in synthetic set that
    was made on another machine has this fingerprint only if the encoder there wrote the same bytes.

    Args:
        missing_modality: modalities that a clip may lack.

    Raises:
        FileNotFoundError: a video file is missing.
        ValueError: a clip lacks another modality.
    """
    digest = hashlib.sha256()
    names = sorted(modalities)
    clips = sorted(clips, key=lambda c: c.clip_id)
    contents = _contents(clips, names, missing_modality)
    for clip in clips:
        streams = ",".join(
            f"{_json(name)}:null"
            if name in missing_modality and not has_stream(clip, name)
            else f"{_json(name)}:{_facts(clip, name, contents)}"
            for name in names
        )
        head = f"{_json(clip.clip_id)},{_json(clip.label)},{_json(clip.subject)},{_json(clip.split)}"
        gesture = f",{_json(clip.spans)}" if clip.spans else ""
        digest.update(f"[{head},{{{streams}}}{gesture}]".encode())
    return digest.hexdigest()


def has_stream(clip: Clip, modality: str) -> bool:
    """Whether a clip has a modality, or what it is rendered from."""
    return RENDERED_FROM.get(modality, modality) in clip.streams


def source_stream(clip: Clip, modality: str) -> Stream:
    """The stream that a modality is read or rendered from. ValueError where the clip does not have it."""
    name = RENDERED_FROM.get(modality, modality)
    stream = clip.streams.get(name)
    if stream is None:
        raise ValueError(
            f"clip {clip.clip_id} has no {name} stream; leave the clip out (quarantine) or drop the modality"
        )
    return stream


def check_file(clip: Clip, modality: str) -> None:
    """FileNotFoundError that names clip and file, where a modality's file is not there or no regular file."""
    try:
        regular_stat(source_stream(clip, modality).path)
    except OSError as error:
        raise _unreadable(clip, modality, error) from None


def _contents(clips: Iterable[Clip], modalities: Sequence[str], missing_modality: Container[str]) -> dict[str, str]:
    """path -> hash of the content, of every file that these clips have."""
    files = {
        source_stream(clip, name).path: (clip, name)
        for clip in clips
        for name in modalities
        if name not in missing_modality or has_stream(clip, name)
    }
    try:
        return content_hashes(files)
    except OSError as error:
        if error.filename not in files:
            raise
        clip, name = files[error.filename]
        raise _unreadable(clip, name, error) from None


def _unreadable(clip: Clip, modality: str, error: OSError) -> FileNotFoundError:
    return FileNotFoundError(
        f"clip {clip.clip_id}: {modality} file {source_stream(clip, modality).path} cannot be read "
        f"({error.strerror}); check data_root, or leave the clip out (quarantine)"
    )


def _facts(clip: Clip, modality: str, contents: dict[str, str]) -> str:
    stream = source_stream(clip, modality)
    content = _json(contents[stream.path])
    return f"[{stream.start},{stream.end},{_json(stream.fps)},{_times(stream.times)},{content}]"


@lru_cache(maxsize=1 << 16)
def _times(times: tuple[float, ...] | None) -> str:
    """Time stamps as JSON, made once for all sets of modalities that a stream is in."""
    return _json(times)
