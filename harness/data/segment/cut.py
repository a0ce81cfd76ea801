"""Segments continuous recordings into isolated, synchronised clips of MGR-Dark's layout (paper, section 3.1).

A gesture is annotated once, in rgb frames. Its time on the recording's clock gives the frames of every stream: depth
shares the clock, infrared starts at an offset and runs at a rate of its own. Clips are resampled to 25 fps by nearest
time stamp. ``recordings.py`` describes the input.

Each file is written whole or not at all and then noted in ``.segment/``; a second run cuts only what is missing or was
cut from something else. ``annotations.csv`` is written last: its presence means the set is complete.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.data.segment.plan import ClipFile, plan_clips
from harness.data.segment.recordings import Recordings, read_recordings
from harness.data.segment.video import FPS, Cut, cut_video
from harness.data.verify.finding import Finding
from harness.ledger.files import lock_file, read_file, refuse_link, write_text_atomically
from harness.system.pool import completed, process_pool
from mtcd_plugin.formats.content import content_hashes, content_of
from mtcd_plugin.formats.mgr_dark import COLUMNS, LIGHTINGS, STREAMS

SEGMENT_VERSION = 2  # raised when the same input gives other clips
SHORTEST, LONGEST = 45, 210  # frames at 25 fps (paper, section 3.2)
NOTES = ".segment"
LARGEST_NOTE = 1 << 20  # bytes
UNFINISHED = re.compile(r"\..+\.[0-9]+\.mp4")  # see segment_video
COPIED = ("classes.txt", "subjects.csv", "dataset.json")


@dataclass(frozen=True)
class Summary:
    """What a run did. ``clips`` are complete and in annotations.csv; files are counted per stream."""

    recordings: int
    segments: int
    clips: int
    files_cut: int
    files_kept: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return all(f.severity != "error" for f in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "counts": dict(Counter(f.check for f in self.findings))}

    def as_text(self) -> str:
        lines = [
            f"{f.severity}: {f.check}: " + (f"{f.clip_id}: " if f.clip_id else "") + f"{f.message} -> {f.remedy}"
            for f in self.findings
        ]
        counts = "".join(f", {count} {check}" for check, count in Counter(f.check for f in self.findings).items())
        lines.append(
            f"{self.clips} of {self.segments} annotated gestures in {self.recordings} recordings are clips now "
            f"({self.files_cut} files cut, {self.files_kept} were there){counts}"
        )
        return "\n".join(lines)


def segment_recordings(
    root: Path,
    out: Path,
    processes: int = 1,
    shortest: int = SHORTEST,
    longest: int = LONGEST,
    crf: int = 18,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Cut every annotated gesture of the recordings in ``root`` into clips in ``out``.

    Args:
        shortest, longest: frames at 25 fps; gestures outside are reported and not cut.
        crf: quality of the clips, 0 (lossless) to 51.
        progress: called as progress(files done, files in all).

    Raises:
        FileNotFoundError, ValueError: the tables cannot be read.
        OSError: the output cannot be written, holds a data set of another origin, a folder in it is a link (what is
            cut or removed would lie elsewhere), or another run is writing it.
        What is finished stays.
    """
    root, out = Path(root), Path(out)
    recordings = read_recordings(root)
    planned, not_cut = plan_clips(root, recordings, shortest, longest)
    found = [*recordings.findings, *not_cut]
    files = {file.note: file for clip in planned.values() for file in clip}
    _check_out(out)
    (out / NOTES).mkdir(parents=True, exist_ok=True)
    with _alone(out):
        found += _tidy(out, recordings, files)
        contents = content_hashes(file.source for file in files.values())
        facts = {name: _facts(file, crf, contents[file.source]) for name, file in files.items()}
        todo = {name: file for name, file in files.items() if not _is_there(out, name, facts[name])}
        if todo:
            (out / "annotations.csv").unlink(missing_ok=True)
        failed = _cut(out, todo, facts, processes, crf, len(files), progress)
        clips = {clip_id: clip for clip_id, clip in planned.items() if not failed.keys() & {f.note for f in clip}}
        found += [_unreadable(files[name], text) for name, text in failed.items()]
        _write_tables(root, out, recordings, clips)
    return Summary(
        recordings.count,
        len(recordings.segments),
        len(clips),
        len(todo) - len(failed),
        len(files) - len(todo),
        tuple(sorted(found, key=lambda f: (f.severity, f.check, f.clip_id))),
    )


def _unreadable(file: ClipFile, problem: str) -> Finding:
    return Finding(file.clip_id, "error", "unreadable", f"{file.modality} file {problem}", "restore the file")


def _write_tables(root: Path, out: Path, recordings: Recordings, clips: dict[str, list[ClipFile]]) -> None:
    for name in COPIED:
        if (root / name).is_file():
            _write_if_new(out / name, (root / name).read_text(encoding="utf-8-sig"))
    _write_if_new(out / "annotations.csv", _annotation(recordings, clips))


def _cut(out: Path, todo: dict[str, ClipFile], facts: dict, processes: int, crf: int, total: int, progress) -> dict:
    """Cut the files, source by source. Returns note -> what is wrong, for those that could not be cut."""
    by_source: dict[str, list[ClipFile]] = {}
    for file in todo.values():
        by_source.setdefault(file.source, []).append(file)
    jobs = [(out, source, files, {f.note: facts[f.note] for f in files}, crf) for source, files in by_source.items()]
    failed: dict[str, str] = {}
    done = total - len(todo)

    def put(result: dict[str, str]) -> None:
        nonlocal done
        done += len(result)
        failed.update({name: text for name, text in result.items() if text})
        if progress:
            progress(done, total)

    if min(processes, len(jobs)) <= 1:
        for job in jobs:
            put(cut_source(*job))
        return failed
    with process_pool(min(processes, len(jobs))) as pool:
        try:
            for future in completed([pool.submit(cut_source, *job) for job in jobs]):
                put(future.result())
        except BrokenProcessPool:
            raise OSError(f"{out}: a process was killed (out of memory?); run again, it goes on where it was") from None
    return failed


def cut_source(out: Path, source: str, files: list[ClipFile], facts: dict[str, dict], crf: int) -> dict[str, str]:
    """Cut all clips of one source and note those that are whole. Returns note -> '' or what is wrong."""
    targets = {out / file.file: file for file in files}
    for file in files:
        (out / NOTES / file.note).unlink(missing_ok=True)

    def note(target: Path) -> None:
        name = targets[target].note
        text = json.dumps({**facts[name], "content": content_of(target)})
        write_text_atomically(out / NOTES / name, text + "\n")

    cuts = [Cut(target, file.indices) for target, file in targets.items()]
    problems = cut_video(source, cuts, crf, note)
    return {file.note: f"{source}: {p}" if (p := problems[t]) else "" for t, file in targets.items()}


def _facts(file: ClipFile, crf: int, content: str) -> dict[str, Any]:
    """What a clip was made from; a clip is made again when this changes."""
    return {
        "version": SEGMENT_VERSION,
        "clip_id": file.clip_id,
        "file": file.file,
        "source": Path(file.source).name,
        "source_content": content,
        "frames": hashlib.sha256(json.dumps(file.indices).encode()).hexdigest(),
        "crf": crf,
    }


def _is_there(out: Path, name: str, facts: dict[str, Any]) -> bool:
    note, target = _read_note(out / NOTES / name), out / facts["file"]
    # the file is read only where all else fits
    return (
        target.is_file() and note == {**facts, "content": note.get("content")} and note["content"] == content_of(target)
    )


def _read_note(path: Path) -> dict[str, Any]:
    """A note as written, {} where there is none or it is not ours."""
    try:
        note = json.loads(read_file(path, LARGEST_NOTE))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _tidy(out: Path, recordings: Recordings, files: dict[str, ClipFile]) -> list[Finding]:
    """Remove what killed runs left unfinished, and clips whose gesture is no longer annotated.

    A note is believed only as far as the name of a clip's file goes; one that names any other file is a finding.
    """
    for left in (out / "clips").rglob(".*.mp4"):
        if UNFINISHED.fullmatch(left.name):
            left.unlink(missing_ok=True)
    for left in (out / NOTES).glob(".*.json.*"):
        left.unlink(missing_ok=True)
    known = {segment.clip_id for segment in recordings.segments}
    found = []
    for path in (out / NOTES).glob("*.json"):
        note = _read_note(path)
        file = note.get("file")
        if not isinstance(file, str) or not _is_ours(path.name, file):
            text = f"{NOTES}/{path.name} names {file!r}, which is not the clip of this note; both are left alone"
            found.append(Finding("", "warning", "note", text, "remove the note, if nothing else needs it"))
            continue
        moved = path.name in files and files[path.name].file != file
        if path.name.rpartition(".")[0].rpartition(".")[0] not in known or moved:
            (out / file).unlink(missing_ok=True)
            path.unlink()
    return found


def _is_ours(note: str, file: object) -> bool:
    """Whether a note's name and the file in it are those of one clip: see ``segment_plan``."""
    clip_id, modality, _ = (note.rsplit(".", 2) + ["", ""])[:3]
    place = rf"clips/({'|'.join(LIGHTINGS)})/{re.escape(modality)}/[\w-]+/{re.escape(clip_id)}\.mp4"
    return modality in STREAMS and isinstance(file, str) and re.fullmatch(place, file) is not None


def _check_out(out: Path) -> None:
    """Refuse a folder whose tables are not ours: they would be overwritten. Refuse links to folders in it."""
    for name in (NOTES, "clips"):
        refuse_link(out / name)
    for place, folders, _ in os.walk(out / "clips"):
        for name in folders:
            refuse_link(Path(place, name))
    for name in (*COPIED, "annotations.csv"):
        if (out / name).exists() and not (out / NOTES).is_dir():
            raise FileExistsError(
                f"{out / name} is not of `data segment` and would be lost; choose another folder with --out"
            )


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    with lock_file(out / NOTES / ".lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(f"{out}: another run is segmenting into this folder; wait for it") from None
        yield


def _annotation(recordings: Recordings, clips: dict[str, list[ClipFile]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    for segment in recordings.segments:
        files = {file.modality: file for file in clips.get(segment.clip_id, ())}
        if not files:
            continue
        r = segment.recording
        row: dict[str, str | int] = dict(
            clip_id=segment.clip_id, pair_id=segment.pair_id, subject=r.subject, scene=r.scene
        )
        row |= dict(gesture=segment.gesture, lighting=r.lighting)
        for m in STREAMS:
            if m in files:
                row |= {f"{m}_file": files[m].file, f"{m}_fps": FPS, f"{m}_start": 0, f"{m}_end": len(files[m].indices)}
        table.writerow(row)
    return text.getvalue()


def _write_if_new(path: Path, text: str) -> None:
    if not path.is_file() or path.read_bytes() != text.encode():
        write_text_atomically(path, text)
