"""Which clips of a table a data set uses."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from pathlib import Path

from mtcd_plugin.formats.clips import MODALITIES, Clip, ClipTable, check_file, has_stream
from mtcd_plugin.formats.text import read_lines

SPLITS = ("train", "test", "fit", "holdout", "all")
MISSING_MODALITY = ("blank", "drop")
HOLDOUT_SHARE = 6  # one training subject in six: 2 of NvGesture's 12, 3 of MGR-Dark's 16


def select_clips(
    table: ClipTable,
    split: str,
    modalities: Sequence[str],
    quarantine: str = "",
    missing_modality: Mapping[str, str] | None = None,
    check_files: bool = True,
    one_in: int = 1,
) -> list[Clip]:
    """The clips of a split, without those in quarantine, each checked to have a file for every modality.

    Args:
        table: from ``read_mgr_dark`` or ``read_nvgesture``.
        split: ``train``, ``test``, ``all``; ``fit`` and ``holdout`` divide the training subjects.
        modalities: of ``rgb depth ir pseudo_ir flow``; the last two stand for the rgb stream that
            they are rendered from.
        quarantine: file with one clip id per line, '' for none; see ``read_quarantine``.
        missing_modality: modality -> what becomes of a clip without it: ``blank`` keeps it, ``drop`` leaves it out; an
            error for modalities that are not named.
        check_files: look for the video files; a fingerprint of the clips does so as well.
        one_in: keep one training clip in so many, see ``thinned``; clips of other splits all stay.

    Raises:
        ValueError: unknown split or modality, an empty split, a clip without one of the streams, or one_in is no
            positive number.
        FileNotFoundError: a video file or the quarantine file is missing.
    """
    if split not in SPLITS:
        raise ValueError(f"split={split!r} is unknown; choose from {', '.join(SPLITS)}")
    if not modalities:
        raise ValueError(f"modalities is empty; choose from {', '.join(MODALITIES)}")
    for name in modalities:
        if name not in MODALITIES:
            raise ValueError(f"modality {name!r} is unknown; choose from {', '.join(MODALITIES)}")
    optional = {name: what for name, what in (missing_modality or {}).items() if name in modalities}
    for name, what in optional.items():
        if what not in MISSING_MODALITY:
            raise ValueError(f"missing_modality.{name}={what!r} is unknown; choose from {', '.join(MISSING_MODALITY)}")
    left_out = read_quarantine(quarantine) if quarantine else frozenset()
    held_out = holdout_subjects(table) if split in ("fit", "holdout") else frozenset()
    clips = [clip for clip in table.clips if clip.clip_id not in left_out and _in_split(clip, split, held_out)]
    clips = [c for c in clips if all(has_stream(c, name) for name in optional if optional[name] == "drop")]
    clips = thinned(clips, one_in, held_out if split == "holdout" else frozenset())
    if not clips:
        lightings = sorted({clip.lighting for clip in table.clips} - {""})
        where = f" ({', '.join(lightings)})" if lightings else ""
        raise ValueError(
            f"split '{split}' of {table.name}{where} has no clips"
            + (f" outside the quarantine file {quarantine}" if left_out else "; check the annotation files")
        )
    for clip in clips if check_files else ():
        for name in modalities:
            if name not in optional or has_stream(clip, name):
                check_file(clip, name)
    return clips


def thinned(clips: Sequence[Clip], one_in: int, whole: Container[str] = ()) -> list[Clip]:
    """One training clip in ``one_in`` of each subject (at least one), always the same ones, in their order; what one in
    four keeps is among what one in two keeps.

    In turn each subject chooses a clip, of the class that it has chosen least, then of the one that all have chosen
    least, then by the hash of the clip's id: subjects keep equal shares, and classes about equal numbers.

    Args:
        whole: subjects whose clips all stay, as those of other splits than ``train`` do.
    """
    if isinstance(one_in, bool) or not isinstance(one_in, int) or one_in < 1:
        raise ValueError(
            f"one_in={one_in!r} is no number of clips; give a whole number from 1, which keeps all of them"
        )
    left: dict[str, list[Clip]] = {}
    for clip in sorted(clips, key=lambda c: _order(c.clip_id)) if one_in > 1 else ():
        if clip.split == "train" and clip.subject not in whole:
            left.setdefault(clip.subject, []).append(clip)
    dropped = {clip.clip_id for own in left.values() for clip in own}
    wanted = {subject: max(1, round(len(own) / one_in)) for subject, own in left.items()}
    chosen: Counter[tuple[str, int] | int] = Counter()  # by subject and class, and by class
    for turn in range(max(wanted.values(), default=0)):
        for subject in sorted(subject for subject, own in left.items() if own):
            clip = min(left[subject], key=lambda c: (chosen[c.subject, c.label], chosen[c.label]))
            left[subject].remove(clip)
            chosen.update([(subject, clip.label), clip.label])
            if turn < wanted[subject]:
                dropped.remove(clip.clip_id)
    return [clip for clip in clips if clip.clip_id not in dropped]


def _order(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def holdout_subjects(table: ClipTable) -> frozenset[str]:
    """The training subjects of split ``holdout``: a sixth (at least one), by the hash of their name."""
    subjects = {clip.subject for clip in table.clips if clip.split == "train"}
    if len(subjects) < 2:
        raise ValueError(f"{table.name}: fit and holdout need two training subjects, found {len(subjects)}")
    order = sorted(subjects, key=_order)
    return frozenset(order[: max(1, round(len(order) / HOLDOUT_SHARE))])


def read_quarantine(path: str) -> frozenset[str]:
    """Clip ids to leave out: one per line; text after ``#`` and empty lines do not count."""
    lines = read_lines(Path(path), "quarantine: clip ids to leave out")
    return frozenset(name for line in lines if (name := line.partition("#")[0].strip()))


def quarantine_of(path: str, known: Collection[str], name: str) -> frozenset[str]:
    """Clip ids to leave out of a data set called ``name``.

    Args:
        known: ids of all of its clips.

    Raises:
        ValueError: one that is not among them, which would have no effect.
    """
    ids = read_quarantine(path)
    if unknown := sorted(ids.difference(known)):
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise ValueError(f"{path}: {name} has no clip '{unknown[0]}'{more}; correct the file")
    return ids


def _in_split(clip: Clip, split: str, held_out: frozenset[str]) -> bool:
    if split in ("fit", "holdout"):
        return clip.split == "train" and (clip.subject in held_out) == (split == "holdout")
    return split == "all" or clip.split == split
