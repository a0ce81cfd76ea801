"""Checks a data set of clips: what is annotated, what is on the disk, and whether they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.data.clips import RECORDED
from harness.data.parts import only_made, unmade_line, unmade_streams
from harness.data.registry import ClipDataSet, Progress
from harness.data.unusable import more_of
from harness.data.verify.annotations import MEND_FILE, Annotation, Findings, finished
from harness.data.verify.clips import Rules, check_clips, windows_by_file
from harness.data.verify.copies import check_copies
from harness.data.verify.files import content_findings, unlisted
from harness.data.verify.finding import Checked, Finding
from harness.data.verify.numbering import one_based
from harness.data.verify.published import balance
from harness.data.verify.videos import ABSENT, Video, scan_videos
from mtcd_plugin.formats.clips import Clip

Sizes = Mapping[str, tuple[int, int]]  # modality -> usual width, height


@dataclass(frozen=True)
class ClipChecks:
    """What is particular to one data set.

    annotated: reads the annotation to its end. rules: what holds for its clips. notes: findings about its counts.
    videos: the folder below the root that holds its videos, and how their names end; "" where that is not known.
    """

    annotated: Callable[[Path], Annotation]
    rules: Rules
    notes: Callable[[Annotation, Sizes], list[Finding]]
    videos: tuple[str, str] = ("", "")


def check_clip_set(
    root: Path, checks: ClipChecks, processes: int, progress: Progress | None, data_set: ClipDataSet | None = None
) -> Checked:
    """Read the whole annotation, decode every file, and collect all that is wrong.

    Args:
        data_set: says which parts a synthetic set may be made without, of which no file is missed then.
    """
    whole = checks.annotated(root)
    unmade = unmade_streams(root, data_set, whole.clips) if data_set else {}
    annotation = replace(whole, clips=only_made(whole.clips, unmade)) if unmade else whole
    videos = scan_videos(windows_by_file(annotation.clips), processes, progress)
    rules = replace(checks.rules, unmade=unmade.keys())
    nowhere = files_nowhere(annotation.clips, videos)
    annotation = replace(annotation, clips=without_streams(annotation.clips, nowhere))
    videos = {path: videos[path] for path in windows_by_file(annotation.clips)}
    found = [*annotation.findings, *check_clips(annotation.clips, videos, rules)]
    found += [_no_file(name, first, name in rules.required) for name, first in nowhere.items()]
    of_content = content_findings(root, list(videos))
    found += check_copies(annotation.clips, videos, rules)
    if unmade:
        found.append(Finding("", "note", "parts", unmade_line(unmade)))
    found = one_based(annotation.clips, videos, found)
    found += of_content
    found += checks.notes(annotation, usual_sizes(annotation, videos))
    folder, suffix = checks.videos
    if folder:
        found += unlisted(root, whole.clips, folder, suffix)
    decoded = sum(video.frames > 0 for video in videos.values())
    return Checked(annotation.synthetic, len(annotation.clips), len(videos), decoded, tuple(found))


def files_nowhere(clips: tuple[Clip, ...], videos: Mapping[str, Video]) -> dict[str, str]:
    """Streams of which no clip has its file, each with the path of its first; none where no file is there at all."""
    files: dict[str, list[str]] = {}
    for clip in clips:
        for name, stream in clip.streams.items():
            files.setdefault(name, []).append(stream.path)
    gone = {path for path, video in videos.items() if video.problem.startswith(ABSENT)}
    nowhere = {name: paths[0] for name, paths in files.items() if gone.issuperset(paths)}
    return nowhere if len(nowhere) < len(files) else {}


def without_streams(clips: tuple[Clip, ...], names: Container[str]) -> tuple[Clip, ...]:
    """The clips without the streams of these names."""
    return tuple(
        replace(clip, streams={name: stream for name, stream in clip.streams.items() if name not in names})
        for clip in clips
    )


def _no_file(name: str, first: str, required: bool) -> Finding:
    text = f"no clip has its {name} file, the first would be {first}{more_of(first)}"
    if required:
        return Finding("", "error", "files", text, f"restore the files; what reads {name} cannot be planned without")
    return Finding("", "note", "files", text, "nothing to do: no method of the benchmark reads it")


def checks_of_reader(data_set: ClipDataSet) -> ClipChecks:
    """For a data set without checks of its own: what its reader refuses is an error, its files must be sound."""

    def annotated(root: Path) -> Annotation:
        found = Findings(root)
        try:
            table = data_set.read(str(root), **data_set.everything)
        except (ValueError, OSError) as error:
            found.error("annotation", error, MEND_FILE)
            return finished(data_set.title, root, {}, (), found)
        return finished(table.name, root, {c.clip_id: c for c in table.clips}, table.classes, found)

    return ClipChecks(annotated, Rules(RECORDED, {}, {}), lambda annotation, _: balance(annotation))


def usual_sizes(annotation: Annotation, videos: Mapping[str, Video]) -> dict[str, tuple[int, int]]:
    """The most frequent size of each modality."""
    sizes: dict[str, Counter] = {}
    for clip in annotation.clips:
        for name, stream in clip.streams.items():
            if (video := videos[stream.path]).frames:
                sizes.setdefault(name, Counter())[video.width, video.height] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in sizes.items()}
