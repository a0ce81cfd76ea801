"""Which parts of a synthetic set are made: a lighting and a modality of MGR-Dark, a modality of NvGesture.

The annotation of such a set is that of the whole set from the first part on; ``parts`` in its dataset.json says whose
videos are there. A set without that entry is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from harness.data.builder import DESCRIBED, maker
from harness.data.registry import ClipDataSet
from mtcd_plugin.formats.clips import RENDERED_FROM, Clip

Unmade = dict[tuple[str, str], str]  # (clip id, stream) -> the part that it is of


def made_parts(root: str | os.PathLike[str]) -> frozenset[str] | None:
    """The parts of a set that are made; None where it is whole, or where what describes it cannot be read, which the
    readers of the set say.

    Raises:
        ValueError: ``parts`` is there and is no list of names: which videos should be there is not known.
    """
    path = Path(root) / DESCRIBED
    try:
        about = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    if not isinstance(about, dict) or "parts" not in about:
        return None
    parts = about["parts"]
    if not isinstance(parts, list) or not all(isinstance(p, str) for p in parts):
        raise ValueError(
            f"{path}: parts is {json.dumps(parts)}, not a list of names; write the parts that are there, as in "
            f'["dark rgb", "dark ir"], or delete {root}, and run-all without --data-root makes it anew'
        )
    return frozenset(parts)


def has_parts(root: str | os.PathLike[str], wanted: Collection[str] | None) -> bool:
    """Whether a set that is there has these parts; None: all that it can have."""
    made = made_parts(root)
    return made is None or (wanted is not None and made.issuperset(wanted))


def unmade_streams(root: str | os.PathLike[str], data_set: ClipDataSet, clips: Iterable[Clip]) -> Unmade:
    """The streams of clips whose part is not made, with that part."""
    if data_set.parts is None or (made := made_parts(root)) is None:
        return {}
    of_stream = data_set.parts.of_stream
    every = {(clip.clip_id, name): of_stream(clip, name) for clip in clips for name in clip.streams}
    return {stream: part for stream, part in every.items() if part not in made}


def recorded(modalities: Iterable[str]) -> tuple[str, ...]:
    """The streams that modalities are read or rendered from."""
    return tuple(dict.fromkeys(RENDERED_FROM.get(m, m) for m in modalities))


def only_made(clips: Iterable[Clip], unmade: Unmade) -> tuple[Clip, ...]:
    """Clips without the streams that are not made, and without those that have no other."""
    kept = (
        replace(clip, streams={n: s for n, s in clip.streams.items() if (clip.clip_id, n) not in unmade})
        for clip in clips
    )
    return tuple(clip for clip in kept if clip.streams)


def unmade_line(unmade: Unmade) -> str:
    """Which parts of a set are not made yet, in words; "" for none."""
    parts = ", ".join(dict.fromkeys(unmade.values()))
    return f"not made yet: {parts}; `run-all` makes what its cells read, `data synthesize` makes all" if parts else ""


def check_made(root: str, data_set: ClipDataSet, clips: Iterable[Clip], modalities: Iterable[str]) -> None:
    """FileNotFoundError, with what to do, where the part is not made that a modality of these clips is in."""
    read = recorded(modalities)
    wanted = (replace(c, streams={n: s for n, s in c.streams.items() if n in read}) for c in clips)
    if unmade := unmade_streams(root, data_set, wanted):
        parts = ", ".join(dict.fromkeys(unmade.values()))
        if who := maker(root):
            raise FileNotFoundError(
                f"{root}: not made yet: {parts}; {who} is adding to it, run the same command again when that is done"
            )
        about = json.loads((Path(root) / DESCRIBED).read_text(encoding="utf-8-sig"))
        seed = f" --seed {about['seed']}" if about.get("seed") else ""
        raise FileNotFoundError(
            f"{root}: not made yet: {parts}; run-all without --data-root makes "
            f"what its cells read, `python -m harness data synthesize --preset {about.get('preset')} --out "
            f"{Path(root).parent} --datasets {Path(root).name}{seed}` all of the set"
        )
